// Uploads a file with tus-js-client and goes on whatever happens: node tus_upload.mjs ENDPOINT KEY FILE CHUNK PARALLEL
// Prints a line of JSON for every attempt that failed, and one at the end.
import { createReadStream, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

// The packages of the web client hold it.
const { Upload } = createRequire(process.env.PACKAGES)('tus-js-client')

const [endpoint, key, file, chunk, parallel] = process.argv.slice(2)
let patience = 100
const sha256 = process.env.SHA256
const upload = new Upload(createReadStream(file), {
  endpoint,
  headers: { Authorization: `Bearer ${key}` },
  chunkSize: Number(chunk) || Infinity,
  metadata: { filename: basename(file), filetype: 'image/jpeg', ...(sha256 ? { sha256 } : {}) },
  retryDelays: Array(400).fill(200),
  onShouldRetry(error) {
    const status = error.originalResponse ? error.originalResponse.getStatus() : 0
    console.log(JSON.stringify({ failed: status, message: String(error.message).slice(0, 200) }))
    return status === 0 || status === 409 || status === 423 || status >= 500
  },
  onError(error) {
    console.log(JSON.stringify({ error: String(error) }))
    // The library gives up on some broken connections, as at the end of a parallel upload; people press "retry" then.
    if (error.originalResponse || --patience < 0) process.exit(1)
    setTimeout(() => upload.start(), 200)
  },
  onSuccess() {
    console.log(JSON.stringify({ url: upload.url }))
  },
})
if (Number(parallel) > 1) upload.options.parallelUploads = Number(parallel)
else upload.options.uploadSize = statSync(file).size
upload.start()

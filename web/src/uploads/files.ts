/** Files as a person chose or dropped them, folders included. */
export interface Picked {
  file: File
  path: string
}

/** What systems leave in folders for themselves. */
const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i

const wanted = ({ file }: Picked): boolean => !LITTER.test(file.name)

/** In the order of their names: folders are given in any. */
function ordered(picked: Picked[]): Picked[] {
  const { compare } = new Intl.Collator(undefined, { numeric: true })
  return picked.filter(wanted).sort((one, other) => compare(one.path, other.path))
}

export function pickedFrom(files: Iterable<File>): Picked[] {
  return ordered([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })))
}

/** Has to be called while the drop is handled: what was dropped is gone afterwards. */
export async function pickedFromDrop(transfer: DataTransfer): Promise<Picked[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null)
  const files = [...transfer.files]
  if (!entries.some(Boolean)) return pickedFrom(files)
  const found: Picked[] = []
  for (const entry of entries) if (entry) await collect(entry, found)
  return ordered(found)
}

async function collect(entry: FileSystemEntry, found: Picked[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    found.push({ file, path: entry.fullPath.replace(/^\//, '') })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A browser gives a hundred at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const inner of some) await collect(inner, found)
  }
}

import { mergeConfig, type Plugin } from 'vite'
import config from '../vite.config'
import { mockApi } from './api'

/** The client without a service, over a made-up library: `npm run mock`, and MOCK_PHOTOS=100000 for a large one. */
const mocked: Plugin = {
  name: 'mocked-api',
  configureServer(server) {
    const answer = mockApi(Number(process.env.MOCK_PHOTOS ?? 4000))
    server.middlewares.use((request, response, next) => void answer(request, response, next))
  },
}

export default mergeConfig(config, { plugins: [mocked], server: { proxy: null } })

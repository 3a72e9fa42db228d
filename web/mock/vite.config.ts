import { mergeConfig, type Plugin, type ViteDevServer } from 'vite'
import config from '../vite.config'
import { mockApi } from './api'

/** The client without a service, over a made-up library: `npm run mock`, and MOCK_PHOTOS=100000 for a large one. */
const answer = mockApi(Number(process.env.MOCK_PHOTOS ?? 4000))
const mount = ({ middlewares }: Pick<ViteDevServer, 'middlewares'>): void => {
  middlewares.use((request, response, next) => void answer(request, response, next))
}
const mocked: Plugin = { name: 'mocked-api', configureServer: mount, configurePreviewServer: mount }

export default mergeConfig(config, { plugins: [mocked], server: { proxy: {} } })

import { createRouter, createWebHistory } from 'vue-router'
import { guard } from './guard'
import { countNavigation } from './navigation'
import { routes } from './routes'
import { keepScroll } from './scroll'

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior(to, from, saved) {
    // A picture opens over the page it is on, and closes to it: that page stays where it is.
    if (to.matched[0] === from.matched[0] && to.path !== from.path) return false
    if (to.path === from.path) return saved ?? (to.meta.grid ? false : { top: 0 })
    keepScroll(saved?.top ?? null)
    return saved ?? { top: 0 }
  },
})

router.beforeEach(guard)

router.beforeResolve((to, from) => {
  // Before the page mounts, so that its heading knows whether to take the focus.
  if (to.path !== from.path || from.matched.length === 0) countNavigation()
})

import { createRouter, createWebHistory } from 'vue-router'
import { guard } from './guard'
import { countNavigation } from './navigation'
import { routes } from './routes'

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach(guard)

router.beforeResolve((to, from) => {
  // Before the page mounts, so that its heading knows whether to take the focus.
  if (to.path !== from.path || from.matched.length === 0) countNavigation()
})

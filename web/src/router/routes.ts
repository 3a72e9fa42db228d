import type { RouteRecordRaw } from 'vue-router'

export type Access = 'guest' | 'session' | 'admin' | 'anyone'

declare module 'vue-router' {
  interface RouteMeta {
    access: Access
    /** A grid of photos: it takes the whole width, and finds its place again by itself. */
    grid?: boolean
    /** For somebody without an account: nothing around it but the name. */
    guest?: boolean
  }
}

/** A photo opens over the page that it is on, which stays as it is below; that page draws it. */
const photo = (name: string): RouteRecordRaw => ({
  path: 'photo/:photo',
  name,
  component: { render: () => null },
})

export const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'timeline',
    component: () => import('@/pages/TimelinePage.vue'),
    meta: { access: 'session', grid: true },
    children: [photo('photo')],
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('@/pages/SignInPage.vue'),
    meta: { access: 'guest' },
  },
  {
    path: '/welcome',
    name: 'welcome',
    component: () => import('@/pages/WelcomePage.vue'),
    meta: { access: 'anyone' },
  },
  {
    path: '/forgot',
    name: 'forgot',
    component: () => import('@/pages/ForgotPage.vue'),
    meta: { access: 'guest' },
  },
  {
    path: '/account',
    name: 'account',
    component: () => import('@/pages/AccountPage.vue'),
    meta: { access: 'session' },
  },
  {
    path: '/tidy/:what(same|similar|quality|best|decided)',
    name: 'tidy',
    component: () => import('@/pages/TidyPage.vue'),
    meta: { access: 'session' },
  },
  { path: '/tidy', redirect: '/tidy/same' },
  {
    path: '/trash',
    name: 'trash',
    component: () => import('@/pages/TrashPage.vue'),
    meta: { access: 'session', grid: true },
    children: [photo('trash-photo')],
  },
  {
    path: '/albums',
    name: 'albums',
    component: () => import('@/pages/AlbumsPage.vue'),
    meta: { access: 'session' },
  },
  {
    path: '/albums/:album',
    name: 'album',
    component: () => import('@/pages/AlbumPage.vue'),
    meta: { access: 'session', grid: true },
    children: [photo('album-photo')],
  },
  {
    path: '/s',
    name: 'guest',
    component: () => import('@/pages/GuestPage.vue'),
    meta: { access: 'anyone', grid: true, guest: true },
    children: [photo('guest-photo')],
  },
  {
    path: '/libraries',
    name: 'libraries',
    component: () => import('@/pages/LibrariesPage.vue'),
    meta: { access: 'session' },
  },
  {
    path: '/jobs',
    name: 'jobs',
    component: () => import('@/pages/JobsPage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/usage',
    name: 'usage',
    component: () => import('@/pages/UsagePage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/space',
    name: 'space',
    component: () => import('@/pages/SpacePage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/integrity',
    name: 'integrity',
    component: () => import('@/pages/IntegrityPage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/backups',
    name: 'backups',
    component: () => import('@/pages/BackupsPage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/accounts',
    name: 'accounts',
    component: () => import('@/pages/AccountsPage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/admin/audit',
    name: 'audit',
    component: () => import('@/pages/AuditPage.vue'),
    meta: { access: 'admin' },
  },
  {
    path: '/:path(.*)*',
    name: 'not-found',
    component: () => import('@/pages/NotFoundPage.vue'),
    meta: { access: 'anyone' },
  },
]

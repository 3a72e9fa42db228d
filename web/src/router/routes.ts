import type { RouteRecordRaw } from 'vue-router'

export type Access = 'guest' | 'session' | 'admin' | 'anyone'

declare module 'vue-router' {
  interface RouteMeta {
    access: Access
  }
}

export const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'timeline',
    component: () => import('@/pages/TimelinePage.vue'),
    meta: { access: 'session' },
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
    path: '/trash',
    name: 'trash',
    component: () => import('@/pages/TrashPage.vue'),
    meta: { access: 'session' },
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

/** Whether the person has moved on from the page they arrived at. */
let navigations = 0

export const countNavigation = (): number => ++navigations
export const hasNavigated = (): boolean => navigations > 1

/** Whether a URL asks for this path or one below it. */
export const isBelow = (path: string, url: string): boolean => new RegExp(`^${path}(?:[/?]|$)`).test(url)

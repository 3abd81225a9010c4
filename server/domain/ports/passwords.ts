/** How passwords are kept. Both may take long, and wait for each other when there are many. */
export interface Passwords {
  hash(password: string): Promise<string>
  verify(hash: string, password: string): Promise<boolean>
  isCommon(password: string): boolean
}

/** What is open above the page: one window at a time, or none. */
export type Window = 'new' | 'notifications' | 'shortcuts' | null

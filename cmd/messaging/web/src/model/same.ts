// same reports whether two values are the same, part by part. Parts that are one and the same are not looked into.
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  const parts = Object.entries(a)
  return parts.length === Object.keys(b).length && parts.every(([name, part]) => name in b && same(part, b[name as keyof typeof b]))
}

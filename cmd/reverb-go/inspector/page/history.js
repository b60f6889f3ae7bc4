// What the overview said in the last minutes. The server counts; rates are made here.

// SPAN is how long points are kept, in milliseconds.
const SPAN = 5 * 60_000

export class History {
  points = []
  latest = null

  // add takes an overview and returns the point it makes. The first overview makes none, as it has no rates.
  add(overview) {
    const before = this.latest
    this.latest = overview
    if (!before || overview.pid !== before.pid || overview.started !== before.started) {
      this.points = []
      return null
    }
    const seconds = (new Date(overview.at) - new Date(before.at)) / 1000
    if (seconds <= 0) return null // the same answer again
    const point = newPoint(overview, before, seconds)
    this.points.push(point)
    this.points = this.points.filter(({ at }) => at > point.at - SPAN)
    return point
  }
}

function newPoint({ at, totals, loops, memory }, before, seconds) {
  const rate = name => Math.max(0, ((totals[name] ?? 0) - (before.totals[name] ?? 0)) / seconds)
  const rates = loops.map((loop, i) => {
    const old = before.loops[i] ?? loop
    return { busy: Math.min(1, Math.max(0, (loop.busy - old.busy) / seconds)), turns: Math.max(0, (loop.turns - old.turns) / seconds) }
  })
  return {
    at: new Date(at).getTime(),
    connections: totals.connections ?? 0,
    opened: rate('connections_opened_total'),
    closed: rate('connections_closed_total'),
    received: rate('messages_received_total'),
    sent: rate('messages_sent_total'),
    published: rate('published_total'),
    bytesIn: rate('received_bytes_total'),
    bytesOut: rate('sent_bytes_total'),
    requests: rate('http_requests_total'),
    queued: totals.queued_bytes ?? 0,
    busiest: Math.max(0, ...rates.map(({ busy }) => busy)),
    memory,
    loops: rates,
  }
}

// Icons are drawn in a box of 24 by 24 with lines of the text's colour. They say nothing to screen readers: what they
// stand in has a name.

const paths = {
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15L6 16zM10 20.5a2.2 2.2 0 0 0 4 0',
  bellOff: 'M4 4l16 16M18 13.500V11a6 6 0 0 0-9.6-4.800M6.2 9.700c-.13.42-.2.86-.2 1.300v5l-1.5 2h13M10 20.500a2.2 2.2 0 0 0 4 0',
  check: 'M5 12.500l4.5 4.500L19 7.5',
  checks: 'M2.5 12.500L7 17l9-9.500M11.5 15.500L13 17l9-9.5',
  clock: 'M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.500V12l3 2',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  down: 'M12 5v14M6 13l6 6 6-6',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.300a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.400z',
  keyboard: 'M3 6.500h18v11H3zM6.5 10h.01M10 10h.01M13.5 10h.01M17 10h.01M8 14h8',
  logout: 'M14 4h5v16h-5M3.5 12H15M11 8l4 4-4 4',
  moon: 'M19.5 14.500A8 8 0 0 1 9.5 4.500a8 8 0 1 0 10 10z',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  pencil: 'M4 20l1-4.500L16.5 4 20 7.5 8.5 19 4 20zM14 6.500l3.5 3.5',
  people: 'M9 11.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.500c.5-3.5 3-5.5 6.5-5.500s6 2 6.5 5.500M16 4.800a3.5 3.5 0 0 1 0 6.400M18 14.400c2 .7 3.2 2.5 3.5 5.1',
  plus: 'M12 5v14M5 12h14',
  queue: 'M4 20V11M10 20V4M16 20v-6M21 20H3',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20.5 20.500L16 16',
  send: 'M4 12L3.5 4.5 21 12 3.5 19.5 4 12zM4 12h8',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4',
  trash: 'M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5',
  warning: 'M12 4L2.5 20h19L12 4zM12 10.500v4M12 17.300h.01',
}

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

import type { Likeness, Tile } from '@/api/types'

/** Turned and mirrored, by how EXIF numbers orientations, from 0: what each does to a picture, as CSS. */
const TURNS = [
  '',
  'scaleX(-1)',
  'rotate(180deg)',
  'scaleY(-1)',
  'rotate(90deg) scaleY(-1)',
  'rotate(90deg)',
  'rotate(90deg) scaleX(-1)',
  'rotate(270deg)',
]
const INVERSE: Record<number, number> = { 5: 7, 7: 5 }
const SIDEWAYS = 4

/** How the other one of a pair has to be laid so that it lies as the one that stays. */
export function placed(link: Likeness | null, keep: string, stage: Tile | undefined): Record<string, string> {
  if (!link?.orientation) return {}
  // What was measured takes the first to the second.
  const turn = link.first_id === keep ? (INVERSE[link.orientation] ?? link.orientation) : link.orientation
  const transform = TURNS[turn] ?? ''
  if (turn < SIDEWAYS || !stage?.width || !stage.height) return { transform }
  // Its box is laid sideways too, around the same middle.
  const [width, height] = [(100 * stage.height) / stage.width, (100 * stage.width) / stage.height]
  return { transform, inset: 'auto', width: `${width}%`, height: `${height}%`, left: `${50 - width / 2}%`, top: `${50 - height / 2}%` }
}

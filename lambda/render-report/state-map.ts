/** The outlines of the states, from the atlas of the Census Bureau, as paths of an SVG image. */
import { geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import states from 'us-atlas/states-albers-10m.json' with { type: 'json' };
import { z } from 'zod';

/** The atlas is projected already (Albers, Alaska and Hawaii moved): to an image of this size. */
export const MAP_SIZE = { width: 975, height: 610 } as const;
/** Corners of a border that are nearer to one another are left out: the image is shown a little smaller than it is. */
const LEAST_DISTANCE = 2;

const position = z.tuple([z.number(), z.number()]);
type Position = z.infer<typeof position>;
const arcs = z.array(z.array(z.number()));
const stateShape = { id: z.string(), properties: z.strictObject({ name: z.string() }) };
const atlasSchema = z.object({
  type: z.literal('Topology'),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  transform: z.strictObject({ scale: position, translate: position }),
  objects: z.object({
    states: z.strictObject({
      type: z.literal('GeometryCollection'),
      geometries: z.array(
        z.discriminatedUnion('type', [
          z.strictObject({ type: z.literal('Polygon'), arcs, ...stateShape }),
          z.strictObject({ type: z.literal('MultiPolygon'), arcs: z.array(arcs), ...stateShape }),
        ]),
      ),
    }),
  }),
  arcs: z.array(z.array(position)),
});

export interface StateOutline {
  readonly name: string;
  /** The `d` of an SVG path. */
  readonly path: string;
}

/** Every state of the atlas. */
export function stateOutlines(): readonly StateOutline[] {
  const { transform, ...atlas } = atlasSchema.parse(states);
  const { scale, translate } = transform;
  const placed = atlas.arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]): Position => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const draw = geoPath().digits(0);
  return feature({ ...atlas, arcs: placed.map(withoutDetail) }, atlas.objects.states).features.map(
    (state) => ({ name: state.properties.name, path: draw(state) ?? '' }),
  );
}

/** A border between two states is one arc of both, so they stay neighbours. Its ends, where other borders begin, remain. */
function withoutDetail(arc: readonly Position[]): Position[] {
  let last: Position | undefined;
  return arc.filter((corner, index) => {
    const isNear =
      last !== undefined && Math.hypot(corner[0] - last[0], corner[1] - last[1]) < LEAST_DISTANCE;
    if (isNear && index < arc.length - 1) return false;
    last = corner;
    return true;
  });
}

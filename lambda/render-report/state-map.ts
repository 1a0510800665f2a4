/** The outlines of the states, from the atlas of the Census Bureau, as paths of an SVG image. */
import { geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import states from 'us-atlas/states-albers-10m.json' with { type: 'json' };
import { z } from 'zod';

/** The atlas is projected already (Albers, Alaska and Hawaii moved): to an image of this size. */
export const MAP_SIZE = { width: 975, height: 610 } as const;

const arcs = z.array(z.array(z.number()));
const stateShape = { id: z.string(), properties: z.strictObject({ name: z.string() }) };
const atlasSchema = z.object({
  type: z.literal('Topology'),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  transform: z.strictObject({
    scale: z.tuple([z.number(), z.number()]),
    translate: z.tuple([z.number(), z.number()]),
  }),
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
  arcs: z.array(arcs),
});

export interface StateOutline {
  readonly name: string;
  /** The `d` of an SVG path. */
  readonly path: string;
}

/** Every state of the atlas. */
export function stateOutlines(): readonly StateOutline[] {
  const atlas = atlasSchema.parse(states);
  const draw = geoPath().digits(0);
  return feature(atlas, atlas.objects.states).features.map((state) => ({
    name: state.properties.name,
    path: draw(state) ?? '',
  }));
}

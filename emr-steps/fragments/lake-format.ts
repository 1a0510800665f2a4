/** The format of the lake, declared before anything of this release is written. */
import { LAKE_FORMAT } from '../../domain/lake-format.ts';
import { FORMAT } from '../../domain/lake-objects.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { files } from './files.ts';
import { planTypes } from './types.ts';

export const lakeFormat = fragment({
  file: import.meta.url,
  needs: [planTypes, files],
  constants: python`
    FORMAT = ${FORMAT.key}
    LAKE_FORMAT = ${LAKE_FORMAT}
  `,
  code: python`
    def declare_format(files: Files, plan: Plan) -> None:
        """Notes which format the lake has from now on; PlanRun has refused those that are newer."""
        uri = f"{plan['lakeRoot']}/{FORMAT}"
        if not files.exists(uri) or files.read_json(uri)["format"] < LAKE_FORMAT:
            files.write_json(uri, {"format": LAKE_FORMAT, "release": plan["release"]})
  `,
});

/** Arrays of numbers. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const arrays = fragment({
  file: import.meta.url,
  imports: ['from typing import TypeAlias', 'import numpy as np', 'import numpy.typing as npt'],
  constants: python`
    # Numbers by bin, or by resample and bin.
    Numbers: TypeAlias = npt.NDArray[np.float64]
  `,
  code: python`
    def row_sums(amounts: Numbers) -> Numbers:
        """The sum of each row."""
        sums: Numbers = amounts.sum(axis=1)
        return sums
  `,
});

/** Figures as they are stored: the same on every processor. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const storedFigures = fragment({
  file: import.meta.url,
  constants: python`FIGURE_DECIMALS = 9`,
  code: python`
    def stored(figure: SupportsFloat) -> float:
        """A figure without the digits that depend on the processor.

        BLAS sums in the order that suits the processor and its cores, and numpy's exp and log have a variant for
        AVX-512: the same data differ in the last digits of a double, some 1e-15 of the figure. Rounding hides that,
        but for a figure that happens to lie on the edge between two roundings. A zero has no sign.
        """
        return round(float(figure), FIGURE_DECIMALS) + 0.0
  `,
  imports: ['from typing import SupportsFloat'],
});

/** What a regression on segments looks at. */
import { CHANNELS } from '../../domain/features/channels.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { segmentRegression } from './segment-regression.ts';
import { trainingTypes } from './types.ts';

export const segmentImportance = fragment({
  file: import.meta.url,
  needs: [segmentRegression, trainingTypes],
  imports: ['import numpy as np'],
  constants: python`
    CHANNELS = ${CHANNELS.length}
  `,
  code: python`
    def segment_importance(rows: SegmentRows, model: SegmentModel, seed: int) -> dict[str, float]:
        """By how much the log loss rises when the values of an input, or of a channel, are dealt to other rows."""
        generator = np.random.default_rng(seed)
        channels = rows.channels[model["halfLife"]]
        logarithms = log_posteriors(channels, model["mixture"])

        def loss(rows: SegmentRows, logarithms: Numbers) -> float:
            return mean_log_loss(rows.labels, regression_scores(rows, logarithms, model["regression"]))

        usual = loss(rows, logarithms)
        rises = {}
        for name, values in rows.plain.items():
            dealt = rows._replace(plain={**rows.plain, name: generator.permutation(values)})
            rises[name] = loss(dealt, logarithms) - usual
        for channel in range(CHANNELS):
            order = generator.permutation(len(rows.labels))
            counts, exposures = channels.counts.copy(), channels.exposures.copy()
            counts[:, channel], exposures[:, channel] = counts[order, channel], exposures[order, channel]
            dealt_posteriors = log_posteriors(ChannelCounts(counts, exposures), model["mixture"])
            rises[model["counts"][channel]] = loss(rows, dealt_posteriors) - usual
        return {name: max(rise, 0.0) for name, rise in rises.items()}


    def described_segments(model: SegmentModel) -> list[Segment]:
        """The segments as people read them."""
        return [
            {
                "size": size,
                "rates": [
                    {"rate": rate, "usual": usual} for rate, usual in zip(rates, model["usualRates"], strict=True)
                ],
                "freeHazard": free,
                "paidHazard": paid,
            }
            for size, rates, (free, paid) in zip(
                model["mixture"]["sizes"],
                model["mixture"]["rates"],
                model["regression"]["hazards"],
                strict=True,
            )
        ]
  `,
});

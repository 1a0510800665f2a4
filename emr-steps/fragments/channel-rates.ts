/** The habits by which users are assigned to segments, as features: events per exposure of each channel. */
import { CHANNEL_GROUPS } from '../../domain/features/reason-words.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { segmentType } from './segment-regression.ts';

export const channelRates = fragment({
  file: import.meta.url,
  needs: [segmentType],
  constants: python`CHANNEL_GROUPS = ${CHANNEL_GROUPS}`,
  code: python`
    def counts_of_channels(segments: SegmentModel | None) -> list[str]:
        """The columns that count the events of the channels."""
        return segments["counts"] if segments else []


    def channel_rates(segments: SegmentModel | None) -> list[str]:
        """Events per exposure of each channel, in SQL; null without exposure."""
        if segments is None:
            return []
        channels = zip(segments["counts"], segments["exposures"], strict=True)
        return [f"{count} / NULLIF({exposure}, 0)" for count, exposure in channels]
  `,
});

/** A failure with its likely cause and remedy. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const stepError = fragment({
  file: import.meta.url,
  code: python`
    class StepError(Exception):
        """A failure that the operator can act on."""

        def __init__(self, message: str, likely_cause: str, what_to_do: str) -> None:
            """Takes what went wrong, why that is likely, and the remedy."""
            super().__init__(message)
            self.likely_cause = likely_cause
            self.what_to_do = what_to_do
  `,
});

declare module 'asl-validator' {
  /** Checks a definition against the Amazon States Language and, with the options, its paths and ARNs. */
  export default function validate(
    definition: unknown,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): { readonly isValid: boolean; errorsText(separator?: string): string };
}

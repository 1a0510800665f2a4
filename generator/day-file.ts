/** Writes one file of the log in large chunks. */
import { type FileHandle, open } from 'node:fs/promises';

const PIECE_CHARACTERS = 1 << 20;

export class DayFile {
  readonly path: string;
  private readonly handle: FileHandle;
  private readonly pieces: Uint8Array[] = [];
  private text = '';
  private bytesWritten = 0;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.handle = handle;
  }

  /** Creates or replaces the file. */
  static async create(path: string): Promise<DayFile> {
    return new DayFile(path, await open(path, 'w'));
  }

  /** Whether so much is buffered that `flush` should be called. */
  get isFull(): boolean {
    return this.text.length >= PIECE_CHARACTERS;
  }

  write(text: string): void {
    this.text += text;
  }

  /** Writes bytes that are not text. */
  writeBytes(bytes: Uint8Array): void {
    this.pieces.push(Buffer.from(this.text, 'utf8'), bytes);
    this.text = '';
  }

  async flush(): Promise<void> {
    this.pieces.push(Buffer.from(this.text, 'utf8'));
    this.text = '';
    for (const piece of this.pieces.splice(0)) {
      await this.handle.appendFile(piece);
      this.bytesWritten += piece.byteLength;
    }
  }

  /** Writes what is buffered and closes the file; returns its size in bytes. */
  async close(): Promise<number> {
    try {
      await this.flush();
    } finally {
      await this.handle.close();
    }
    return this.bytesWritten;
  }
}

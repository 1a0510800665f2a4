/** The music: invented artists and titles, with popularity and lengths like those in the published logs. */
import { AliasTable, popularityWeights } from './alias-table.ts';
import { artistName, songTitle } from './music-names.ts';
import { Random } from './random.ts';

const SONGS = 253_564;
const ARTISTS = 38_337;
/** The catalogue does not depend on the log's seed: two logs of one service play the same songs. */
const CATALOGUE_SEED = 1;

const SONG_POPULARITY = { shift: 8, exponent: 0.85 };
const ARTIST_POPULARITY = { shift: 20, exponent: 0.7 };

const MEDIAN_LENGTH_SECONDS = 234;
const LENGTH_SIGMA = 0.353;
const LENGTH_DECIMALS = 5;
/** Share of songs that are jingles or whole concerts. */
const ODD_LENGTH_SHARE = 0.0025;
const SHORTEST_SECONDS = 0.5;
const LONGEST_SECONDS = 3_025;

/** What the simulation needs to know about songs. */
export interface SongLengths {
  /** Draws a song by its popularity. */
  draw(random: Random): number;
  lengthSeconds(song: number): number;
}

interface Song {
  readonly lengthSeconds: number;
  /** The song's part of a row: `"artist":...,"song":...,"length":...`. */
  readonly json: string;
}

/** All songs. Each is invented when it is first played. */
export class Catalogue implements SongLengths {
  private readonly popularity = new AliasTable(
    popularityWeights(SONGS, SONG_POPULARITY.shift, SONG_POPULARITY.exponent),
  );
  private readonly artists = new AliasTable(
    popularityWeights(ARTISTS, ARTIST_POPULARITY.shift, ARTIST_POPULARITY.exponent),
  );
  private readonly songs: (Song | undefined)[] = new Array<Song | undefined>(SONGS).fill(undefined);

  draw(random: Random): number {
    return this.popularity.draw(random);
  }

  lengthSeconds(song: number): number {
    return this.song(song).lengthSeconds;
  }

  json(song: number): string {
    return this.song(song).json;
  }

  private song(index: number): Song {
    const known = this.songs[index];
    if (known !== undefined) return known;
    const song = this.invent(index);
    this.songs[index] = song;
    return song;
  }

  private invent(index: number): Song {
    const random = new Random(CATALOGUE_SEED, 'song', index);
    const artist = artistName(new Random(CATALOGUE_SEED, 'artist', this.artists.draw(random)));
    const title = songTitle(random);
    const lengthSeconds = Number(drawLength(random).toFixed(LENGTH_DECIMALS));
    // Serialized as a whole: a concatenated string would stay a tree of pieces in memory.
    const json = JSON.stringify({ artist, song: title, length: lengthSeconds }).slice(1, -1);
    return { lengthSeconds, json };
  }
}

function drawLength(random: Random): number {
  if (!random.happens(ODD_LENGTH_SHARE)) return random.logNormal(MEDIAN_LENGTH_SECONDS, LENGTH_SIGMA);
  return SHORTEST_SECONDS + random.fraction() ** 3 * (LONGEST_SECONDS - SHORTEST_SECONDS);
}

/** Invents names of artists and titles of songs, including odd ones: quotes, backslashes, broken encodings. */
import { FAMILY_NAMES, FEMALE_NAMES, MALE_NAMES } from './names.ts';
import type { Random } from './random.ts';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const ADJECTIVES = words(`
Amber Ancient Bitter Blind Blue Broken Cold Crimson Crooked Dark Distant Electric Empty Endless Faded Fallen Final Foreign
Frozen Gentle Golden Happy Hidden Hollow Holy Hungry Infinite Invisible Last Lonely Lost Lucky Midnight Modern Naked Northern
Old Pale Paper Perfect Plastic Quiet Red Restless Rusty Sacred Secret Silent Silver Simple Sleeping Slow Small Southern
Strange Sudden Tender Tired Velvet Violent Warm Wicked Wild Wooden Young
`);
const NOUNS = words(`
Arrow Atlas Autumn Avenue Balcony Bird Bone Bridge Butterfly Cabin Candle Carnival Cathedral Circle City Cloud Comet Coral
Country Crow Dancer Desert Diamond Dream Echo Elephant Engine Eye Feather Fever Field Fire Flower Forest Fountain Garden
Ghost Giant Glass Harbor Heart Heaven Hero Highway Horizon Horse House Island Jungle King Lantern Letter Light Lion Machine
Map Memory Mirror Moon Motel Mountain Night Ocean Orchard Paradise Pilot Planet Queen Radio Rain Ribbon River Road Rose
Sailor Saint Shadow Silence Sky Snow Soldier Song Spring Star Steel Stone Storm Stranger Street Summer Sun Thunder Tiger
Time Tower Train Valley Wave Wheel Whisper Window Winter Wolf Woman Zombie
`);
const VERBS = words(`
Believe Break Burn Call Carry Catch Chase Dance Dream Drive Fall Find Fly Follow Forget Hold Keep Kiss Leave Lie Listen Love
Miss Move Pray Remember Run Sail Save Say Shake Sing Sleep Stay Stop Swim Take Turn Wait Walk
`);
const PREPOSITIONS = [
  'And',
  'Of',
  'In The',
  'For',
  'To',
  'With',
  'Without',
  'On',
  'Under',
  'Against',
] as const;
const VERSIONS = [
  'Album Version',
  'Live',
  'Remastered',
  'LP Version',
  'Acoustic',
  'Radio Edit',
  'Remix',
  'Explicit',
  'Demo',
] as const;
const TITLES = ['DJ', 'Dr.', "Lil'", 'Captain', 'MC', 'The Reverend', 'Sir'] as const;
/** Words with letters beyond ASCII, which the double encoding turns into garbage. */
const ACCENTED = words(`
Águila Ásgeir Björk Café Canción Corazón Döner Élan Forêt Frère Göteborg Jónsi Málaga Mañana Müller Naïve Niño Røyk Señor
Sigrún Straße Tiësto Übermut Voilà Zoé
`);
const ODD_ARTISTS = [
  '!!!',
  'None',
  'null',
  '+/-',
  'NaN',
  '3',
  "Guns N' Thorns",
  'AC\\BC',
  '"Weird" Hal',
  'N/A',
  '<unnamed>',
];

const ODD_ARTIST_SHARE = 0.006;
const ACCENTED_ARTIST_SHARE = 0.05;
const ACCENTED_TITLE_SHARE = 0.052;
const ODD_TITLE_SHARE = 0.0185;
const VERSION_SHARE = 0.2;

/** The name of an artist. */
export function artistName(random: Random): string {
  if (random.happens(ODD_ARTIST_SHARE)) return random.pick(ODD_ARTISTS);
  if (random.happens(ACCENTED_ARTIST_SHARE))
    return doublyEncoded(`${random.pick(ACCENTED)} ${random.pick(NOUNS)}`);
  const kind = random.fraction();
  if (kind < 0.45) return personName(random);
  if (kind < 0.6) return `${random.pick(ADJECTIVES)} ${random.pick(NOUNS)}`;
  if (kind < 0.72) return `The ${random.pick(ADJECTIVES)} ${random.pick(NOUNS)}s`;
  if (kind < 0.8) return `${random.pick(TITLES)} ${random.pick(NOUNS)}`;
  if (kind < 0.88) return `${random.pick(NOUNS)}s ${random.pick(PREPOSITIONS)} ${random.pick(NOUNS)}s`;
  if (kind < 0.94) return `${personName(random)} / ${personName(random)}`;
  if (kind < 0.99) return `${random.pick(NOUNS)} featuring ${personName(random)}`;
  return `"${random.pick(ADJECTIVES)}" ${random.pick(FAMILY_NAMES)}`;
}

/** The title of a song. */
export function songTitle(random: Random): string {
  const title = plainTitle(random);
  if (random.happens(ACCENTED_TITLE_SHARE)) return doublyEncoded(`${random.pick(ACCENTED)} ${title}`);
  if (random.happens(ODD_TITLE_SHARE)) return oddTitle(title, random);
  return random.happens(VERSION_SHARE) ? `${title} (${random.pick(VERSIONS)})` : title;
}

function personName(random: Random): string {
  const given = random.happens(0.5) ? random.pick(FEMALE_NAMES) : random.pick(MALE_NAMES);
  return `${given} ${random.pick(FAMILY_NAMES)}`;
}

function plainTitle(random: Random): string {
  const kind = random.fraction();
  if (kind < 0.15) return random.pick(NOUNS);
  if (kind < 0.4) return `${random.pick(ADJECTIVES)} ${random.pick(NOUNS)}`;
  if (kind < 0.65) return `${random.pick(NOUNS)} ${random.pick(PREPOSITIONS)} ${random.pick(NOUNS)}`;
  if (kind < 0.75) return `The ${random.pick(NOUNS)} ${random.pick(PREPOSITIONS)} ${random.pick(NOUNS)}`;
  if (kind < 0.88)
    return `${random.pick(VERBS)} ${random.pick(PREPOSITIONS)} ${random.pick(ADJECTIVES)} ${random.pick(NOUNS)}`;
  return `${random.pick(VERBS)} Me ${random.pick(VERBS)}`;
}

function oddTitle(title: string, random: Random): string {
  const kind = random.fraction();
  if (kind < 0.45) return `"${title}" (from "${random.pick(NOUNS)}")`;
  if (kind < 0.7) return `${title}\\${random.pick(NOUNS)}`;
  if (kind < 0.8) return 'None';
  if (kind < 0.85) return `${title}\u0092s ${random.pick(NOUNS)}`;
  return `${title} [${random.pick(NOUNS)}: ${random.pick(ADJECTIVES)}]`;
}

/** Text whose UTF-8 was decoded as Latin-1 and encoded again, twice, as in the published logs: includes C1 controls. */
function doublyEncoded(text: string): string {
  const once = Buffer.from(text, 'utf8').toString('latin1');
  return Buffer.from(once, 'utf8').toString('latin1');
}

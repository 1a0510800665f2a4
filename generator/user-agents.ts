/** Browsers of 2014, as in the published logs, where those of the WebKit family contain literal quotes. */

export interface UserAgent {
  readonly text: string;
  /** Users in 10,000. */
  readonly users: number;
}

/** Operating systems of desktop browsers, with their users in 10,000. */
const WINDOWS = [
  ['Windows NT 6.1; WOW64', 1900],
  ['Windows NT 6.3; WOW64', 700],
  ['Windows NT 6.2; WOW64', 200],
  ['Windows NT 6.1', 300],
  ['Windows NT 5.1', 250],
] as const;
const MAC = [
  ['10_9_4', 1900],
  ['10_10', 250],
  ['10_8_5', 250],
  ['10_7_5', 180],
  ['10_6_8', 200],
] as const;
const LINUX = [
  ['X11; Linux x86_64', 200],
  ['X11; Ubuntu; Linux x86_64', 120],
] as const;
const CHROME_VERSIONS = [
  ['36.0.1985.143', 0.3],
  ['36.0.1985.125', 0.22],
  ['37.0.2062.94', 0.12],
] as const;
const FIREFOX_VERSIONS = [
  ['31.0', 0.24],
  ['32.0', 0.05],
  ['30.0', 0.03],
] as const;
const SAFARI = [
  ['537.78.2', '7.0.6'],
  ['537.77.4', '7.0.5'],
  ['537.77.4', '6.1.5'],
  ['600.1.8', '8.0'],
] as const;
const SAFARI_SHARE = 0.09;

const quoted = (text: string): string => `"Mozilla/5.0 ${text}"`;
const chrome = (system: string, version: string): string =>
  quoted(`(${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`);
const firefox = (system: string, version: string): string =>
  `Mozilla/5.0 (${system}; rv:${version}) Gecko/20100101 Firefox/${version}`;

function desktop(chromeSystem: string, firefoxSystem: string, users: number): UserAgent[] {
  return [
    ...CHROME_VERSIONS.map(([version, share]) => ({
      text: chrome(chromeSystem, version),
      users: users * share,
    })),
    ...FIREFOX_VERSIONS.map(([version, share]) => ({
      text: firefox(firefoxSystem, version),
      users: users * share,
    })),
  ];
}

function macSafari(version: string, users: number): UserAgent[] {
  return SAFARI.map(([webKit, safari]) => ({
    text: quoted(
      `(Macintosh; Intel Mac OS X ${version}) AppleWebKit/${webKit} (KHTML, like Gecko) Version/${safari} Safari/${webKit}`,
    ),
    users: users * SAFARI_SHARE,
  }));
}

function apple(device: string, system: string, users: number): UserAgent {
  return {
    text: quoted(
      `(${device}; CPU ${system} like Mac OS X) AppleWebKit/537.51.2 (KHTML, like Gecko) Version/7.0 Mobile/11D257 Safari/9537.53`,
    ),
    users,
  };
}

export const USER_AGENTS: readonly UserAgent[] = [
  ...WINDOWS.flatMap(([system, users]) => desktop(system, system, users)),
  ...MAC.flatMap(([version, users]) => [
    ...desktop(
      `Macintosh; Intel Mac OS X ${version}`,
      `Macintosh; Intel Mac OS X ${version.replace('_', '.').replace(/_.*/, '')}`,
      users,
    ),
    ...macSafari(version, users),
  ]),
  ...LINUX.flatMap(([system, users]) => desktop(system, system, users)),
  apple('iPhone', 'iPhone OS 7_1_2', 260),
  apple('iPhone', 'iPhone OS 7_1_1', 100),
  apple('iPhone', 'iPhone OS 7_1', 80),
  apple('iPad', 'OS 7_1_2', 180),
  apple('iPad', 'OS 7_1_1', 60),
  { text: 'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko', users: 330 },
  { text: 'Mozilla/5.0 (Windows NT 6.3; WOW64; Trident/7.0; rv:11.0) like Gecko', users: 150 },
  { text: 'Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0)', users: 130 },
  { text: 'Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; WOW64; Trident/6.0)', users: 100 },
];

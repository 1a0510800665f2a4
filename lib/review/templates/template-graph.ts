/**
 * The synthesized templates of an app as a graph: a node for each resource, condition and stack, whose body names other
 * nodes where the template has logical ids. What two revisions may differ in without deploying anything else is left out.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Templates by the name of their stack. */
export type Templates = ReadonlyMap<string, JsonObject>;

export interface TemplateNode {
  /** `<stack>/<logical id>`, or `<stack>/` for what a stack has besides resources and conditions. */
  readonly key: string;
  readonly type: string;
  /** Text in which `reference(key)` stands for another node. */
  readonly body: JsonObject;
  /** Keys of the nodes that it waits for; their order means nothing. */
  readonly dependsOn: readonly string[];
}

/** Characters that no template contains: they enclose the key of a node within text. */
const [OPEN, CLOSE] = ['\uE000', '\uE001'];
const REFERENCE = new RegExp(`${OPEN}([^${CLOSE}]*)${CLOSE}`, 'g');

/** Free text, and what CDK notes for itself. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'AlarmDescription',
  'Comment',
  'Description',
  'GroupDescription',
  'Metadata',
  'Sid',
]);

/** The keys of all nodes that a text refers to. */
export function referencesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].map(([, key = '']) => key);
}

/** A text with every reference replaced by what `nameOf` calls its node. */
export function withNames(text: string, nameOf: (key: string) => string): string {
  return text.replace(REFERENCE, (_, key: string) => nameOf(key));
}

/** Reads the nodes of all stacks; references between stacks lead to the resource itself. */
export function templateGraph(templates: Templates): readonly TemplateNode[] {
  const exported = exportsOf(templates);
  return [...templates].flatMap(([stack, template]) => {
    const reader = new TemplateReader(stack, templates, exported);
    const { Resources, Conditions, Outputs, ...rest } = template;
    const resources = Object.entries(objectOf(Resources)).map(([id, resource]): TemplateNode => {
      const { Type, DependsOn = [], ...body } = objectOf(resource);
      return {
        key: `${stack}/${id}`,
        type: String(Type),
        body: reader.readObject(body),
        dependsOn: [DependsOn].flat().map((dependency) => `${stack}/${String(dependency)}`),
      };
    });
    const conditions = Object.entries(objectOf(Conditions)).map(
      ([id, condition]): TemplateNode => ({
        key: `${stack}/${id}`,
        type: 'Condition',
        body: { Condition: reader.read(condition) },
        dependsOn: [],
      }),
    );
    const whole: TemplateNode = {
      key: `${stack}/`,
      type: 'Stack',
      body: reader.readObject({ ...rest, Name: stack, Outputs: ownOutputs(objectOf(Outputs)) }),
      dependsOn: [],
    };
    return [...resources, ...conditions, whole];
  });
}

interface ExportedValue {
  readonly stack: string;
  readonly value: Json;
}

function exportsOf(templates: Templates): ReadonlyMap<string, ExportedValue> {
  return new Map(
    [...templates].flatMap(([stack, { Outputs }]) =>
      Object.values(objectOf(Outputs)).flatMap((output): [string, ExportedValue][] => {
        const { Export, Value = null } = objectOf(output);
        return Export === undefined ? [] : [[String(objectOf(Export).Name), { stack, value: Value }]];
      }),
    ),
  );
}

/** Outputs for people; CDK's exports are named by logical ids, and are followed from where they are imported. */
function ownOutputs(outputs: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(outputs).filter(([, output]) => objectOf(output).Export === undefined),
  );
}

class TemplateReader {
  readonly #stack: string;
  readonly #templates: Templates;
  readonly #exported: ReadonlyMap<string, ExportedValue>;

  constructor(stack: string, templates: Templates, exported: ReadonlyMap<string, ExportedValue>) {
    this.#stack = stack;
    this.#templates = templates;
    this.#exported = exported;
  }

  read(value: Json): Json {
    if (Array.isArray(value)) return value.map((entry) => this.read(entry));
    if (typeof value === 'string') return this.#text(value);
    if (value === null || typeof value !== 'object') return value;
    return this.readObject(objectOf(value));
  }

  readObject(value: JsonObject): JsonObject {
    const [[name = '', argument = null] = [], ...others] = Object.entries(value);
    const intrinsic = others.length === 0 ? this.#intrinsic(name, argument) : undefined;
    if (intrinsic !== undefined) return intrinsic;
    const path = value.Key === 'Name' && String(value.Value).startsWith(`${this.#stack}/`);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !LEFT_OUT.has(key))
        .map(([key, entry]) => {
          if (key === 'Condition' && typeof entry === 'string') return [key, this.#reference(entry)];
          return [key, path && key === 'Value' ? '<path of the construct>' : this.read(entry)];
        }),
    );
  }

  #intrinsic(name: string, argument: Json): JsonObject | undefined {
    const list = Array.isArray(argument) ? argument : [];
    switch (name) {
      case 'Ref':
        return { Ref: this.#reference(String(argument)) };
      case 'Fn::GetAtt': {
        const [id, attribute] = typeof argument === 'string' ? argument.split('.', 2) : list.map(String);
        return { 'Fn::GetAtt': [this.#reference(id ?? ''), attribute ?? ''] };
      }
      case 'Fn::If': {
        const [condition = '', ...branches] = list;
        return { 'Fn::If': [this.#reference(String(condition)), ...branches.map((each) => this.read(each))] };
      }
      case 'Fn::ImportValue': {
        const exported = this.#exported.get(String(argument));
        if (exported === undefined) return undefined;
        const producer = new TemplateReader(exported.stack, this.#templates, this.#exported);
        return { imported: producer.read(exported.value) };
      }
      case 'Fn::Join': {
        const [separator, parts] = list;
        return separator === '' && Array.isArray(parts) ? { text: this.#joined(parts) } : undefined;
      }
      case 'Fn::Sub':
        if (typeof argument !== 'string') return undefined;
        return {
          'Fn::Sub': withoutHashes(argument).replace(
            /\$\{([\w:]+)(?=[.}])/g,
            (_, id: string) => `\${${this.#reference(id)}`,
          ),
        };
      default:
        return undefined;
    }
  }

  /** Joined text; where it is JSON, such as a state machine's definition, as what it says. */
  #joined(parts: readonly Json[]): Json {
    return this.#text(
      parts.map((part) => (typeof part === 'string' ? part : inText(this.read(part)))).join(''),
    );
  }

  #text(text: string): Json {
    const plain = withoutHashes(text);
    // CDK names a policy by its own logical id.
    if (/[0-9A-F]{8}$/.test(plain)) return this.#reference(plain);
    if (!/^\s*[{[]/.test(plain)) return plain;
    const parsed = parsedJson(plain);
    return parsed === undefined ? plain : { json: this.read(parsed) };
  }

  /** Of a resource or condition of this stack; parameters and AWS's own names stay as they are. */
  #reference(id: string): string {
    const { Resources, Conditions } = this.#templates.get(this.#stack) ?? {};
    const known = id in objectOf(Resources) || id in objectOf(Conditions);
    return known ? `${OPEN}${this.#stack}/${id}${CLOSE}` : id;
  }
}

/** A value within text that may be JSON: its own quotes would end a string there. */
function inText(value: Json): string {
  return `<${JSON.stringify(value).replaceAll('"', "'")}>`;
}

/** Assets are uploaded under the hash of their content. */
function withoutHashes(text: string): string {
  return text.replace(/\b[0-9a-f]{64}\b/g, '<hash>');
}

function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns the value where it is an object, an empty one otherwise */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

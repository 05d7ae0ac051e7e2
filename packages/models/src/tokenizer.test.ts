import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { expectModelError, TINY_TEXTS, temporaryFolder, tinyConfig, tinyTokenizer } from './test-support.js';
import { checkTokenizer, cleanTokenizerJson, Tokenizer, tokenizerConfigJson } from './tokenizer.js';
import { loadTokenizer, parseVocabulary } from './tokenizer-files.js';

const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c', 'é', 'A'];

async function vocabularyFolder(tokens: readonly string[], config?: object): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'vocab.txt'), `${tokens.join('\n')}\n`);
  if (config !== undefined) await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

describe('padding and truncation of the file', () => {
  it('are switched off, and not saved', async () => {
    const plain = (await tinyTokenizer()).files.tokenizer;
    const json = JSON.stringify({
      ...JSON.parse(plain),
      truncation: { max_length: 3, strategy: 'LongestFirst', stride: 0, direction: 'Right' },
      padding: {
        strategy: { Fixed: 64 },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: 0,
        pad_type_id: 0,
        pad_token: '[PAD]',
      },
    });
    const tokenizer = await Tokenizer.fromJson(json, 'tokenizer.json');
    const { ids } = await tokenizer.encode('red apple tree');
    expect(ids).toEqual((await (await tinyTokenizer()).encode('red apple tree')).ids);
    expect(JSON.parse(cleanTokenizerJson(tokenizer))).toEqual(JSON.parse(plain));
  });
});

describe('truncation', () => {
  it('keeps the special tokens', async () => {
    const tokenizer = await tinyTokenizer();
    const whole = [...(await tokenizer.encode('red apple')).ids];
    const cut = [...(await tokenizer.encode('red apple', { maxLength: 3 })).ids];
    expect(cut).toEqual([whole[0], whole[1], whole.at(-1)]);
    expect([whole[0], whole.at(-1)].map((id) => tokenizer.idToToken(id!))).toEqual(['[CLS]', '[SEP]']);
    await expectModelError(
      () => tokenizer.encode('red', { maxLength: 2 }),
      'INPUT_TOKENIZER',
      /leaves no room .* at least 3/,
    );
  });

  it('takes only the context where asked, and the text when that alone is too long', async () => {
    const tokenizer = await tinyTokenizer();
    const options = { maxLength: 7, truncation: 'only_second' } as const;
    const count = (await tokenizer.encode('tree')).ids.length - 2;
    const { ids, typeIds } = await tokenizer.encodePair('tree', 'red red red red red', options);
    expect([ids.length, typeIds.filter((type) => type === 0).length]).toEqual([7, count + 2]);
    const long = await tokenizer.encodePair('tree tree tree tree tree tree', 'red', options);
    expect([...long.typeIds]).toEqual([0, 0, 0, 0, 0, 0, 1]);
    await expectModelError(
      () => tokenizer.encodePair('a', 'b', { maxLength: 3 }),
      'INPUT_TOKENIZER',
      /3 special tokens/,
    );
  });
});

describe('batches', () => {
  it('keep the order of more texts than one call takes', async () => {
    const tokenizer = await tinyTokenizer();
    const texts = Array.from({ length: 2100 }, (_, i) => TINY_TEXTS[i % TINY_TEXTS.length]!);
    const encoded = await tokenizer.encodeBatch(texts);
    const single = await Promise.all(TINY_TEXTS.map((text) => tokenizer.encode(text)));
    encoded.forEach(({ ids }, i) => {
      expect(ids).toEqual(single[i % single.length]!.ids);
    });
    expect(await tokenizer.encodeBatch([])).toEqual([]);
  });

  it('decode again', async () => {
    const tokenizer = await tinyTokenizer();
    expect(await tokenizer.decode((await tokenizer.encode('red apple tree')).ids)).toBe('red apple tree');
  });
});

describe('files', () => {
  it('may be packed', async () => {
    const folder = await temporaryFolder();
    const json = (await tinyTokenizer()).files.tokenizer;
    await writeFile(join(folder, 'tokenizer.json.gz'), gzipSync(json));
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.files.tokenizer).toBe(json);
    expect((await loadTokenizer(join(folder, 'tokenizer.json.gz'))).vocabularySize).toBe(
      tokenizer.vocabularySize,
    );
    await writeFile(join(folder, 'tokenizer.json.gz'), gzipSync(json).subarray(0, 200));
    await expectModelError(
      () => loadTokenizer(folder),
      'INPUT_TOKENIZER',
      /tokenizer\.json\.gz: cannot be read .*get the file again/,
    );
  });

  it('that are damaged or missing are named', async () => {
    const folder = await temporaryFolder();
    await expectModelError(
      () => loadTokenizer(folder),
      'INPUT_TOKENIZER',
      /no tokenizer\.json, tokenizer\.json\.gz or vocab\.txt/,
    );
    await writeFile(join(folder, 'tokenizer.json'), '{"version": "1.0", "model"');
    await expectModelError(
      () => loadTokenizer(folder),
      'INPUT_TOKENIZER',
      /tokenizer\.json: not a tokenizer\.json that can be read/,
    );
    await writeFile(join(folder, 'tokenizer.json'), '{"version": "1.0", "model": {"type": "Nothing"}}');
    await expectModelError(() => loadTokenizer(folder), 'INPUT_TOKENIZER', /not a tokenizer\.json/);
  });

  it('an empty vocabulary is refused', async () => {
    const json = JSON.stringify({
      ...JSON.parse((await tinyTokenizer('bpe')).files.tokenizer),
      added_tokens: [],
      post_processor: null,
    });
    const model = { type: 'BPE', vocab: {}, merges: [] };
    const empty = JSON.stringify({ ...JSON.parse(json), model });
    await expectModelError(
      () => Tokenizer.fromJson(empty, 't.json'),
      'INPUT_TOKENIZER',
      /plain letters into no tokens/,
    );
  });
});

describe('vocab.txt', () => {
  const encode = async (folder: string, text: string) => [
    ...(await (await loadTokenizer(folder)).encode(text)).ids,
  ];

  it('keeps case where the vocabulary is cased, lower-cases where it is not', async () => {
    expect(await encode(await vocabularyFolder(VOCABULARY), 'A a bc é')).toEqual([2, 9, 5, 6, 7, 8, 3]);
    expect(await encode(await vocabularyFolder(VOCABULARY.slice(0, -1)), 'A bC')).toEqual([2, 5, 6, 7, 3]);
  });

  it('does as tokenizer_config.json says', async () => {
    const folder = await vocabularyFolder(VOCABULARY, { do_lower_case: true, strip_accents: false });
    expect(await encode(folder, 'A é')).toEqual([2, 5, 8, 3]);
    expect(await encode(await vocabularyFolder(VOCABULARY, {}), 'A é')).toEqual([2, 5, 1, 3]);
  });

  it('takes special tokens from the file beside tokenizer_config.json, and writes them into it', async () => {
    const folder = await vocabularyFolder(VOCABULARY, { cls_token: '[CLS]', tokenizer_class: 'X' });
    const map = { pad_token: { content: 'a', lstrip: false }, cls_token: 'bc', more: ['x'] };
    await writeFile(join(folder, 'special_tokens_map.json'), JSON.stringify(map));
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.padId).toBe(tokenizer.tokenToId('a'));
    expect(tokenizerConfigJson(tokenizer, 9)).toEqual({
      cls_token: '[CLS]',
      model_max_length: 9,
      pad_token: 'a',
      tokenizer_class: 'X',
    });
  });

  it('has the tokens that were added to it, from either file of transformers', async () => {
    const id = VOCABULARY.length;
    const token = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
    const older = await vocabularyFolder(VOCABULARY, { do_lower_case: false });
    expect(await encode(older, 'a[X] A')).toEqual([2, 5, 1, 1, 1, 9, 3]);
    await writeFile(join(older, 'added_tokens.json'), JSON.stringify({ '[X]': id }));
    const added_tokens_decoder = { [id]: { content: '[X]', ...token }, 9: { content: 'A', ...token } };
    const newer = await vocabularyFolder(VOCABULARY, { do_lower_case: false, added_tokens_decoder });
    expect(await encode(older, 'a[X] A')).toEqual([2, 5, id, 9, 3]);
    expect(await encode(newer, 'a[X] Aa')).toEqual([2, 5, id, 9, 5, 3]);
    expect((await loadTokenizer(newer)).vocabularySize).toBe(id + 1);
  });

  it('refuses texts that are cut at their beginning', async () => {
    const folder = await vocabularyFolder(VOCABULARY, { truncation_side: 'left' });
    await expectModelError(() => loadTokenizer(folder), 'INPUT_TOKENIZER', /truncation_side is "left"/);
  });

  it("follows tokenizer_config.json where transformers' class for BERT does, above tokenizer.json too", async () => {
    const { files } = await loadTokenizer(await vocabularyFolder(VOCABULARY));
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tokenizer.json'), files.tokenizer);
    const encodeWith = async (config: object) => {
      await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
      return encode(folder, 'A é');
    };
    expect(await encodeWith({ do_lower_case: false })).toEqual([2, 9, 8, 3]);
    // What is not said is said by default: lower case, and without accents then.
    expect(await encodeWith({})).toEqual([2, 5, 1, 3]);
    expect(await encodeWith({ do_lower_case: true, strip_accents: false })).toEqual([2, 5, 8, 3]);
    expect(await encodeWith({ do_lower_case: true, strip_accents: null })).toEqual([2, 5, 1, 3]);
    const generic = { do_lower_case: true, tokenizer_class: 'PreTrainedTokenizerFast' };
    expect(await encodeWith(generic)).toEqual([2, 9, 8, 3]);
  });

  it('gives white space at the ends no token, in XLM-R', async () => {
    const { files } = await tinyTokenizer('unigram');
    const json = JSON.parse(files.tokenizer);
    // As in the file of multilingual E5.
    json.pre_tokenizer = json.pre_tokenizer.pretokenizers.at(-1);
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
    const encodeAs = async (name: string, text: string) => {
      await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: name }));
      return encode(folder, text);
    };
    const plain = await encodeAs('XLMRobertaTokenizer', 'red apple');
    expect(await encodeAs('XLMRobertaTokenizer', ' red  apple ')).toEqual(plain);
    expect((await encodeAs('PreTrainedTokenizerFast', 'red apple ')).length).toBe(plain.length + 1);

    const spaced = async (model: object, tokenizer?: object) => {
      await rm(join(folder, 'tokenizer_config.json'), { force: true });
      await writeFile(join(folder, 'config.json'), JSON.stringify(model));
      if (tokenizer) await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizer));
      return (await encode(folder, 'red apple ')).length - plain.length;
    };
    // Where the tokenizer's own file names no class, the model's does, and else its type.
    expect(await spaced({ model_type: 'bert', tokenizer_class: 'XLMRobertaTokenizer' }, {})).toBe(0);
    expect((await loadTokenizer(folder)).files.config?.tokenizer_class).toBe('XLMRobertaTokenizer');
    expect(await spaced({ model_type: 'xlm-roberta' }, {})).toBe(0);
    expect(await spaced({ model_type: 'xlm-roberta' })).toBe(0);
    expect(await spaced({ model_type: 'bert' }, {})).toBe(1);
    expect(await spaced({ model_type: 'xlm-roberta' }, { tokenizer_class: 'PreTrainedTokenizerFast' })).toBe(
      1,
    );
  });

  it('takes line ends of either kind, and separators that are no line ends', () => {
    const text = '[UNK]\r\n[CLS]\r\n[SEP]\r\n\u2028\r\n';
    expect([...parseVocabulary(text, 'vocab.txt').keys()]).toEqual(['[UNK]', '[CLS]', '[SEP]', '\u2028']);
  });

  it.each([
    ['[UNK]\n[CLS]\n\n[SEP]\n', /vocab\.txt:3: empty line/],
    ['[UNK]\n[CLS]\n[SEP]\n[CLS]\n', /vocab\.txt:4: token "\[CLS\]" is on line 2 already/],
    ['[UNK]\n[CLS]\n', /no \[SEP\] among its 2 tokens/],
  ])('refuses %j', async (text, message) => {
    await expectModelError(() => parseVocabulary(text, 'vocab.txt'), 'INPUT_TOKENIZER', message);
  });
});

describe('fitting a model', () => {
  it('needs a row for every id', async () => {
    const tokenizer = await tinyTokenizer();
    const size = tokenizer.vocabularySize;
    checkTokenizer(tokenizer, tinyConfig({ vocabularySize: size }), 'config.json');
    await expectModelError(
      () => checkTokenizer(tokenizer, tinyConfig({ vocabularySize: size - 1 }), 'm/config.json'),
      'INPUT_TOKENIZER',
      `has ids up to ${size - 1}, but m/config.json gives the model a table of ${size - 1} rows`,
    );
  });

  it('counts the highest id, not the tokens, where ids have gaps', async () => {
    const json = JSON.parse((await tinyTokenizer()).files.tokenizer);
    json.model.vocab.zebra = 900;
    expect((await Tokenizer.fromJson(JSON.stringify(json), 't.json')).vocabularySize).toBe(901);
  });

  it('needs a row for every type of a pair', async () => {
    const tokenizer = await tinyTokenizer('wordpiece');
    const one = tinyConfig({ typeVocabularySize: 1 });
    await expectModelError(
      () => checkTokenizer(tokenizer, one, 'config.json'),
      'INPUT_TOKENIZER',
      /type ids up to 1, .* table of 1 rows \(type_vocab_size\)/,
    );
    checkTokenizer(await tinyTokenizer('unigram'), one, 'config.json');
  });

  it('needs the padding id from which XLM-R counts positions', async () => {
    const xlmr = tinyConfig({ family: 'xlm-roberta', positionOffset: 2 });
    checkTokenizer(await tinyTokenizer('unigram'), xlmr, 'config.json');
    const wrong = await tinyTokenizer('wordpiece');
    await expectModelError(
      () => checkTokenizer(wrong, xlmr, 'config.json'),
      'INPUT_TOKENIZER',
      /padding token has id 0, but .* pad_token_id 1/,
    );
  });
});

it('a saved configuration names the special tokens, or is the one that was read', async () => {
  const tokenizer = await tinyTokenizer('unigram');
  expect(tokenizerConfigJson(tokenizer, 12)).toEqual({
    tokenizer_class: 'PreTrainedTokenizerFast',
    pad_token: '<pad>',
    unk_token: '<unk>',
    cls_token: '<s>',
    sep_token: '</s>',
    mask_token: '<mask>',
    model_max_length: 12,
  });
  const config = {
    tokenizer_class: 'XLMRobertaTokenizer',
    pad_token: { content: '</s>' },
    model_max_length: 9,
  };
  const read = await Tokenizer.fromJson(tokenizer.files.tokenizer, 't.json', config);
  expect(read.padId).toBe(2);
  expect(tokenizerConfigJson(read, 12)).toEqual({ ...config, model_max_length: 12 });
});

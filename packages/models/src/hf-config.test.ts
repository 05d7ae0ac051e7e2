import { encoderParameters } from '@synglot/nn';
import { describe, expect, it } from 'vitest';
import { formatHfConfig, longestSequence, parseHfConfig } from './hf-config.js';
import { parameterName } from './hf-weights.js';
import { expectModelError, LABSE_POOLING, tinyConfig } from './test-support.js';

const XLMR = {
  model_type: 'xlm-roberta',
  vocab_size: 250002,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
  pad_token_id: 1,
};

describe('config.json', () => {
  it('reads XLM-R with the defaults it leaves out', () => {
    const config = parseHfConfig(XLMR, 'config.json');
    expect(config).toMatchObject({
      family: 'xlm-roberta',
      positionOffset: 2,
      layerNormEpsilon: 1e-5,
      hiddenDropout: 0.1,
    });
    expect(longestSequence(config)).toBe(512);
  });

  it.each([tinyConfig(), tinyConfig({ family: 'xlm-roberta', positionOffset: 2, typeVocabularySize: 1 })])(
    'reads back what it wrote ($family)',
    (config) => {
      expect(parseHfConfig(JSON.parse(JSON.stringify(formatHfConfig(config))), 'config.json')).toEqual(
        config,
      );
    },
  );

  it.each<[Record<string, unknown>, RegExp]>([
    [{ model_type: 'gpt2' }, /model_type "gpt2" is not supported, expected "bert" or "xlm-roberta"/],
    [{ model_type: undefined }, /model_type nothing/],
    [{ hidden_act: 'relu' }, /hidden_act is "relu", which is not supported, expected "gelu"/],
    [{ hidden_act: 'gelu_new' }, /hidden_act is "gelu_new"/],
    [
      { position_embedding_type: 'relative_key' },
      /position_embedding_type is "relative_key", which is not supported, expected "absolute"/,
    ],
    [{ is_decoder: true }, /is_decoder is true/],
    [{ hidden_size: undefined }, /hidden_size is nothing, expected a whole number above 0/],
    [{ hidden_size: '768' }, /hidden_size is "768"/],
    [{ hidden_size: 770 }, /hidden_size 770 is not a multiple of num_attention_heads 12/],
    [{ num_hidden_layers: 1.5 }, /num_hidden_layers is 1\.5/],
    [{ layer_norm_eps: 0 }, /layer_norm_eps is 0, expected a number above 0/],
    [{ hidden_dropout_prob: 1 }, /hidden_dropout_prob is 1, expected a number from 0 to below 1/],
    [{ pad_token_id: -1 }, /pad_token_id is -1/],
    [
      { max_position_embeddings: 2 },
      /max_position_embeddings is 2, expected more than pad_token_id \+ 1 = 2/,
    ],
  ])('refuses %o', async (change, message) => {
    await expectModelError(
      () => parseHfConfig({ ...XLMR, ...change }, 'some/config.json'),
      'INPUT_CHECKPOINT',
      /^some\/config\.json: /,
      message,
    );
  });
});

describe('parameters', () => {
  it('are counted as BERT has them', () => {
    const parameters = encoderParameters(parseHfConfig(XLMR, 'config.json'), {
      mode: 'mean',
      normalize: true,
    });
    // Published size of XLM-R base without its pooler: 277,453,056.
    const values = parameters.reduce(
      (sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1),
      0,
    );
    expect([parameters.length, values]).toEqual([5 + 12 * 16, 277453056]);
  });

  it('include the dense head', () => {
    expect(encoderParameters(tinyConfig(), LABSE_POOLING).slice(-2)).toEqual([
      { name: 'dense.weight', shape: [4, 8] },
      { name: 'dense.bias', shape: [4] },
    ]);
  });

  it.each([
    ['bert.embeddings.LayerNorm.gamma', 'embeddings.LayerNorm.weight'],
    ['roberta.encoder.layer.0.output.LayerNorm.beta', 'encoder.layer.0.output.LayerNorm.bias'],
    ['xlm_roberta.embeddings.word_embeddings.weight', 'embeddings.word_embeddings.weight'],
    ['encoder.layer.1.output.dense.bias', 'encoder.layer.1.output.dense.bias'],
    ['bert.pooler.dense.weight', undefined],
    ['lm_head.decoder.weight', undefined],
    ['cls.predictions.bias', undefined],
    ['bert.embeddings.position_ids', undefined],
  ])('%s is %s', (stored, ours) => {
    expect(parameterName(stored)).toBe(ours);
  });
});

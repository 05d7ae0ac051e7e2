// Gradient of the mean InfoNCE loss with respect to one tile of the similarity matrix.
//
// As info_nce_backward, from the statistics of info_nce_tile_statistics:
// d_ij = (row_weight · (softmax over candidates - [i = j])
//         + column_weight · (softmax over queries - [i = j])) / (temperature · queries),
// the second term for positives only; zero where masked.
//
// Shapes    similarity, d_similarity [tile_queries, tile_candidates]; groups [candidates];
//           row_statistics, column_statistics [queries].
// Writes    overwrites d_similarity within the live sizes of the tile.
// Dispatch  one invocation per candidate, one workgroup row per query:
//           ceil(tile_candidates / WORKGROUP_SIZE) × tile_queries.
// Limits    tile_queries is at most 65,535. step.begins are rows of the embeddings: queries first, then
//           candidates. With row_weight or column_weight 0 that direction's statistics are not read.
// Precision f32; the gradient is multiplied by the step's loss scale.
// Source    Gao et al. 2021 (GradCache).
//@ const WORKGROUP_SIZE: u32 = 64
//@ include step

struct Params {
  tile_queries: u32,
  tile_queries_count: u32,
  tile_candidates: u32,
  tile_candidates_count: u32,
  queries: u32,
  queries_count: u32,
  inverse_temperature: f32,
  row_weight: f32,
  column_weight: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read> row_statistics: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> column_statistics: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> d_similarity: array<f32>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.y >= live_count(params.tile_queries_count, params.tile_queries)
    || id.x >= live_count(params.tile_candidates_count, params.tile_candidates)) {
    return;
  }
  let queries = live_count(params.queries_count, params.queries);
  let query = step.begins.x + id.y;
  let candidate = step.begins.y - queries + id.x;
  let index = id.y * params.tile_candidates + id.x;
  if (candidate != query && groups[candidate] == groups[query]) {
    d_similarity[index] = 0.0;
    return;
  }
  let own = similarity[index];
  let target_probability = select(0.0, 1.0, candidate == query);
  var gradient = 0.0;
  if (params.row_weight > 0.0) {
    let row = row_statistics[query];
    gradient += params.row_weight * (exp((own - row.x) * params.inverse_temperature) / row.y - target_probability);
  }
  if (params.column_weight > 0.0 && candidate < queries) {
    let column = column_statistics[candidate];
    gradient += params.column_weight
      * (exp((own - column.x) * params.inverse_temperature) / column.y - target_probability);
  }
  d_similarity[index] = step.loss_scale * (gradient * params.inverse_temperature / f32(queries));
}

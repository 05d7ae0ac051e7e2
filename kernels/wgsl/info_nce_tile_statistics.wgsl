// InfoNCE over tiles of the similarity matrix: adds one tile to the statistics of its queries, or of its
// positives when COLUMNS.
//
// What info_nce_row_statistics and info_nce_column_statistics compute from the whole matrix, in pieces:
// a query is compared with the tile's candidates, a positive with the tile's queries. Masks as there. The
// first tile along the axis that is summed over begins anew; tiles must come in ascending order.
//
// Shapes    similarity [tile_queries, tile_candidates]; groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature), the positive's similarity, 0): the
//           loss is (x - z) / temperature + log(y) once every tile has been added.
// Writes    overwrites the statistics of the tile's queries, or of its positives.
// Dispatch  one invocation per query or a candidate of the tile;
//           ceil(tile_queries or tile_candidates / WORKGROUP_SIZE) workgroups.
// Limits    step.begins are rows of the embeddings: queries first, then candidates.
// Precision f32, online softmax, in order.
// Source    Gao et al. 2021 (GradCache); online softmax: Milakov & Gimelshein 2018.
//@ const WORKGROUP_SIZE: u32 = 64
//@ const COLUMNS: bool = false
//@ include step

struct Params {
  tile_queries: u32,
  tile_queries_count: u32,
  tile_candidates: u32,
  tile_candidates_count: u32,
  queries: u32,
  queries_count: u32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<storage, read> similarity: array<f32>;
@group(0) @binding(1) var<storage, read> groups: array<u32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<vec4<f32>>;
@group(0) @binding(16) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let queries = live_count(params.queries_count, params.queries);
  // (begin, live size, distance in `similarity`) of the tile's two axes.
  let rows = vec3<u32>(
    step.begins.x,
    live_count(params.tile_queries_count, params.tile_queries),
    params.tile_candidates,
  );
  let columns = vec3<u32>(
    step.begins.y - queries,
    live_count(params.tile_candidates_count, params.tile_candidates),
    1u,
  );
  let own = select(rows, columns, COLUMNS);
  let other = select(columns, rows, COLUMNS);

  let index = own.x + id.x;
  // Hard negatives have no query of their own and so no column statistics.
  if (id.x >= own.y || index >= queries) {
    return;
  }
  let group = groups[index];
  var state = vec4<f32>(-1.0e30, 0.0, 0.0, 0.0);
  if (other.x > 0u) {
    state = statistics[index];
  }
  for (var i = 0u; i < other.y; i++) {
    let other_index = other.x + i;
    if (other_index != index && groups[other_index] == group) {
      continue;
    }
    let one = similarity[id.x * own.z + i * other.z];
    let larger = max(state.x, one);
    state.y = state.y * exp((state.x - larger) * params.inverse_temperature)
      + exp((one - larger) * params.inverse_temperature);
    state.x = larger;
    if (other_index == index) {
      state.z = one;
    }
  }
  statistics[index] = state;
}

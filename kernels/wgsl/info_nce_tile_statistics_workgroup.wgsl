// info_nce_tile_statistics with what is summed shared by the lanes of a workgroup. InfoNCE over tiles of the
// similarity matrix: adds one tile to the statistics of its queries, or of its positives when COLUMNS.
//
// What info_nce_row_statistics and info_nce_column_statistics compute from the whole matrix, in pieces:
// a query is compared with the tile's candidates, a positive with the tile's queries. Masks as there. The
// first tile along the axis that is summed over begins anew; tiles must come in ascending order.
//
// Shapes    similarity [tile_queries, tile_candidates]; groups [candidates]; statistics [queries] of
//           (largest similarity, Σ exp((similarity - largest) / temperature), the positive's similarity, 0): the
//           loss is (x - z) / temperature + log(y) once every tile has been added.
// Writes    overwrites the statistics of the tile's queries, or of its positives.
// Dispatch  SUMS queries or candidates of the tile per workgroup;
//           ceil(tile_queries or tile_candidates / SUMS) workgroups.
// Limits    step.begins are rows of the embeddings: queries first, then candidates.
// Precision f32, online softmax: each lane's in order, then a tree, then what earlier tiles gave.
// Source    Gao et al. 2021 (GradCache); online softmax: Milakov & Gimelshein 2018.
//@ const COLUMNS: bool = false
//@ include step
//@ include softmax_reduce

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

var<workgroup> own_similarities: array<f32, SUMS>;

@compute @workgroup_size(LANES * SUMS)
fn main(@builtin(local_invocation_index) invocation: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
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

  // Neighbours in memory are neighbours among the invocations: the other axis along rows, its own along columns.
  let lane = select(invocation % LANES, invocation / SUMS, COLUMNS);
  let sum = select(invocation / LANES, invocation % SUMS, COLUMNS);
  let i = workgroup.x * SUMS + sum;
  let index = own.x + i;
  // Hard negatives have no query of their own and so no column statistics.
  let live = i < own.y && index < queries;
  let end = select(0u, other.y, live);
  let group = groups[min(index, queries - 1u)];
  var seen = NOTHING_SEEN;
  for (var j = lane; j < end; j += LANES) {
    let other_index = other.x + j;
    if (other_index == index || groups[other_index] != group) {
      let one = similarity[i * own.z + j * other.z];
      seen = with_similarity(seen, one);
      if (other_index == index) {
        own_similarities[sum] = one;
      }
    }
  }
  // Its barriers are for own_similarities too.
  var all = reduce_lanes(seen, lane, invocation, select(1u, SUMS, COLUMNS));
  if (lane == 0u && live) {
    var own_similarity = 0.0;
    if (other.x > 0u) {
      let before = statistics[index];
      all = combine(before.xy, all);
      own_similarity = before.z;
    }
    if (index >= other.x && index - other.x < other.y) {
      own_similarity = own_similarities[sum];
    }
    statistics[index] = vec4<f32>(all, own_similarity, 0.0);
  }
}

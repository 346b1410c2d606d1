/* Captures and graphs: the documented rules by which a capture is refused or invalidated, and replays. */
#include "null.h"
#include <cupti_runtime_cbid.h>
#include <stdlib.h>
#include <string.h>

static struct capture CAPTURES[MOST_CAPTURES];
static unsigned long long captures_begun;
static __thread int mode_here = cudaStreamCaptureModeGlobal;

struct capture *capture_under_way(void) {
  for (int i = 0; i < MOST_CAPTURES; i++)
    if (is_active(&CAPTURES[i])) return &CAPTURES[i];
  return NULL;
}

struct capture *capture_forbidding(void) {
  if (mode_here == cudaStreamCaptureModeRelaxed) return NULL;
  for (int i = 0; i < MOST_CAPTURES; i++) {
    struct capture *one = &CAPTURES[i];
    if (!is_active(one) || one->mode == cudaStreamCaptureModeRelaxed) continue;
    bool is_global = one->mode == cudaStreamCaptureModeGlobal && mode_here == cudaStreamCaptureModeGlobal;
    if (is_global || pthread_equal(one->thread, pthread_self())) return one;
  }
  return NULL;
}

cudaError_t invalidate(struct capture *capture, cudaError_t error) {
  capture->status = cudaStreamCaptureStatusInvalidated;
  return fail(error);
}

cudaError_t unsafe(void) {
  LOCK;
  struct capture *capture = capture_forbidding();
  cudaError_t error = capture ? invalidate(capture, cudaErrorStreamCaptureUnsupported) : cudaSuccess;
  UNLOCK;
  return error;
}

cudaError_t captured_work(struct CUstream_st *stream, const struct work *work) {
  struct graph *graph = &stream->capture->graph;
  if (is_broken(stream->capture)) return fail(cudaErrorStreamCaptureInvalidated);
  if (graph->nodes == graph->room) {
    graph->room = graph->room ? 2 * graph->room : 32;
    graph->work = realloc(graph->work, graph->room * sizeof *graph->work);
  }
  graph->work[graph->nodes++] = *work;
  stream->captured += (ns_t)(work->us * 1e3);
  return cudaSuccess;
}

EXPORT cudaError_t cudaStreamBeginCapture(cudaStream_t handle, enum cudaStreamCaptureMode mode) {
  struct CUstream_st *stream = stream_of(handle);
  cudaError_t error = cudaSuccess;
  LOCK;
  struct capture *place = CAPTURES;
  while (place < CAPTURES + MOST_CAPTURES && is_active(place)) place++;
  if (is_legacy(stream)) error = fail(cudaErrorStreamCaptureUnsupported);
  else if (stream->capture || place == CAPTURES + MOST_CAPTURES) error = fail(cudaErrorInvalidValue);
  else {
    *place = (struct capture){.id = ++captures_begun, .mode = mode, .status = cudaStreamCaptureStatusActive,
                              .thread = pthread_self(), .origin = stream};
    stream->capture = place;
    stream->captured = 0;
  }
  UNLOCK;
  trace("begin capture on %p: %d", (void *)stream, error);
  return error;
}

EXPORT cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph) {
  struct CUstream_st *stream = stream_of(handle);
  cudaError_t error = cudaSuccess;
  if (graph) *graph = NULL;
  LOCK;
  struct capture *capture = stream->capture;
  if (!capture) error = fail(cudaErrorInvalidValue);
  else if (capture->origin != stream) error = invalidate(capture, cudaErrorStreamCaptureUnmatched);
  else if (capture->mode != cudaStreamCaptureModeRelaxed && !pthread_equal(capture->thread, pthread_self()))
    error = invalidate(capture, cudaErrorStreamCaptureWrongThread);
  else {
    if (is_broken(capture)) error = fail(cudaErrorStreamCaptureInvalidated);
    else {
      struct graph *made = malloc(sizeof *made);
      *made = capture->graph;
      made->critical = stream->captured;
      *graph = (cudaGraph_t)made;
    }
    for (struct CUstream_st *one = streams; one; one = one->next)
      if (one->capture == capture) one->capture = NULL;
    capture->origin = NULL;
  }
  UNLOCK;
  note("end_capture", error);
  trace("end capture on %p: %d", (void *)stream, error);
  return error;
}

EXPORT cudaError_t cudaStreamIsCapturing(cudaStream_t handle, enum cudaStreamCaptureStatus *status) {
  struct CUstream_st *stream = stream_of(handle);
  LOCK;
  *status = stream->capture ? stream->capture->status : cudaStreamCaptureStatusNone;
  struct capture *other = is_legacy(stream) ? capture_under_way() : NULL;
  bool depends = other && !(other->origin->flags & cudaStreamNonBlocking);
  UNLOCK;
  return depends ? fail(cudaErrorStreamCaptureImplicit) : cudaSuccess;
}

EXPORT cudaError_t cudaStreamGetCaptureInfo(cudaStream_t handle, enum cudaStreamCaptureStatus *status, unsigned long long *id,
                                            cudaGraph_t *graph, const cudaGraphNode_t **nodes, const cudaGraphEdgeData **edges,
                                            size_t *count) {
  struct CUstream_st *stream = stream_of(handle);
  *status = stream->capture ? stream->capture->status : cudaStreamCaptureStatusNone;
  if (id) *id = stream->capture ? stream->capture->id : 0;
  if (graph) *graph = stream->capture ? (cudaGraph_t)&stream->capture->graph : NULL;
  if (nodes) *nodes = NULL;
  if (edges) *edges = NULL;
  if (count) *count = 0;
  return cudaSuccess;
}

EXPORT cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *mode) {
  int before = mode_here;
  mode_here = *mode;
  *mode = before;
  return cudaSuccess;
}

/* ---- graphs ---- */
static struct graph *copy_of(const struct graph *graph) {
  struct graph *copy = malloc(sizeof *copy);
  *copy = *graph;
  copy->room = graph->nodes;
  copy->work = malloc((graph->nodes + 1) * sizeof *copy->work);
  if (graph->nodes) memcpy(copy->work, graph->work, graph->nodes * sizeof *copy->work);
  return copy;
}
static cudaError_t destroy(struct graph *graph) {
  free(graph->work);
  free(graph);
  return cudaSuccess;
}

EXPORT cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *made, cudaGraph_t graph, unsigned long long flags UNUSED) {
  *made = (cudaGraphExec_t)copy_of((struct graph *)graph);
  host_takes(10 + ((struct graph *)graph)->nodes);
  return cudaSuccess;
}
EXPORT cudaError_t cudaGraphInstantiate(cudaGraphExec_t *made, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiateWithFlags(made, graph, flags);
}
EXPORT cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  API_CALL(cudaGraphLaunch_v10000);
  trace("replay of %d nodes", ((struct graph *)graph)->nodes);
  return replay(stream, (struct graph *)graph);
}
EXPORT cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return destroy((struct graph *)graph); }
EXPORT cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return destroy((struct graph *)graph); }
EXPORT cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
  if (nodes) memset(nodes, 0, *count * sizeof *nodes);
  *count = ((struct graph *)graph)->nodes;
  return cudaSuccess;
}
EXPORT cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node UNUSED, cudaGraphNode_t *others UNUSED,
                                                cudaGraphEdgeData *edges UNUSED, size_t *count) {
  *count = 0;
  return cudaSuccess;
}
EXPORT cudaError_t cudaGraphDebugDotPrint(cudaGraph_t graph UNUSED, const char *path UNUSED, unsigned flags UNUSED) {
  return fail(cudaErrorNotSupported);
}

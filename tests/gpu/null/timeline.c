/* Timeline: when each stream has done what was submitted to it, and what the host waits for. */
#include "null.h"
#include <time.h>

pthread_mutex_t TIMELINE = PTHREAD_MUTEX_INITIALIZER;
__thread int this_device;
struct CUstream_st *streams;
static struct CUstream_st legacy[MOST_DEVICES];

ns_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}
void wait_until(ns_t time) { /* without a pause instruction: in a virtual machine many of them give the core away */
  while (now() < time) continue;
}
static ns_t ns(double us) { return (ns_t)(us * 1e3); }
void host_takes(double us) {
  if (us > 0) wait_until(now() + ns(us));
}
static ns_t later(ns_t one, ns_t other) { return one > other ? one : other; }

struct CUstream_st *stream_of(cudaStream_t stream) {
  if (stream && stream != cudaStreamLegacy && stream != cudaStreamPerThread) return stream;
  legacy[this_device].device = this_device;
  return &legacy[this_device];
}
bool is_legacy(const struct CUstream_st *stream) { return stream >= legacy && stream < legacy + MOST_DEVICES; }

ns_t device_busy(int device) {
  ns_t busy = legacy[device].busy;
  for (struct CUstream_st *one = streams; one; one = one->next)
    if (one->device == device) busy = later(busy, one->busy);
  return busy;
}

/* The legacy stream waits for all blocking streams of its device, and they wait for it. */
static ns_t after_others(const struct CUstream_st *stream) {
  if (stream->flags & cudaStreamNonBlocking) return 0;
  if (!is_legacy(stream)) return legacy[stream->device].busy;
  ns_t busy = 0;
  for (struct CUstream_st *one = streams; one; one = one->next)
    if (one->device == stream->device && !(one->flags & cudaStreamNonBlocking) && !one->capture) busy = later(busy, one->busy);
  return busy;
}

/* One piece of work, begun no sooner than then; gives when it ends. */
static ns_t work_through(struct CUstream_st *stream, const struct work *work, ns_t begin) {
  bool is_kernel = work->kind == KERNEL || work->kind == PRODUCT || work->kind == SPIN;
  double share = is_kernel ? clock_share(stream->device, begin) : 1;
  ns_t end = begin + ns(work->us / share);
  draws(stream->device, work->kind, begin, end);
  record_work(work, stream, begin, end);
  return end;
}

/* The host waits for a place in the queue; then the earliest time at which its launch is there. */
static ns_t queued(struct CUstream_st *stream) {
  int depth = (int)SET.depth;
  LOCK;
  ns_t oldest = stream->launched >= (unsigned)depth ? stream->ends[stream->launched % depth] : 0;
  UNLOCK;
  wait_until(oldest);
  return now() + ns(SET.latency_us);
}

cudaError_t submit(cudaStream_t handle, struct work work, double host_us) {
  count_launch();
  NEEDS_CONTEXT;
  struct CUstream_st *stream = stream_of(handle);
  LOCK;
  if (stream->capture) {
    cudaError_t error = captured_work(stream, &work);
    UNLOCK;
    host_takes(host_us);
    return error;
  }
  UNLOCK;
  host_takes(host_us);
  ns_t there = queued(stream);
  LOCK;
  ns_t begin = later(later(there, stream->busy + ns(SET.gap_us)), after_others(stream));
  stream->busy = work_through(stream, &work, begin);
  stream->ends[stream->launched++ % (int)SET.depth] = stream->busy;
  UNLOCK;
  return cudaSuccess;
}

/* As on an H200 there is hardly a gap within a graph; the replay takes some time of its own before its first node.
   Nodes on several branches are recorded one after the other, squeezed into the graph's length. */
cudaError_t replay(cudaStream_t handle, const struct graph *graph) {
  NEEDS_CONTEXT;
  struct CUstream_st *stream = stream_of(handle);
  host_takes(2 * SET.launch_us);
  ns_t there = queued(stream);
  double all_us = 0;
  for (int i = 0; i < graph->nodes; i++) all_us += graph->work[i].us;
  double squeeze = all_us > 0 ? graph->critical / 1e3 / all_us : 1;
  LOCK;
  ns_t time = later(later(there, stream->busy + ns(SET.gap_us)), after_others(stream)) + ns(SET.replay_us);
  for (int i = 0; i < graph->nodes; i++) {
    struct work node = graph->work[i];
    node.us *= squeeze;
    time = work_through(stream, &node, time);
  }
  stream->busy = time;
  stream->ends[stream->launched++ % (int)SET.depth] = time;
  UNLOCK;
  return cudaSuccess;
}

cudaError_t wait_for(cudaStream_t handle) {
  NEEDS_CONTEXT;
  struct CUstream_st *stream = stream_of(handle);
  LOCK;
  struct capture *mine = stream->capture, *other = capture_forbidding();
  cudaError_t error = cudaSuccess;
  if (mine) error = mine->status == cudaStreamCaptureStatusInvalidated ? fail(901) : invalidate(mine, 900);
  else if (other) error = invalidate(other, 900);
  ns_t begin = now(), busy = stream->busy;
  UNLOCK;
  if (error) return error;
  wait_until(busy);
  host_takes(SET.drain_us);
  record_wait(stream, begin, now());
  return cudaSuccess;
}

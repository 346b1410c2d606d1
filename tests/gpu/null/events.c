/* Events: marks in a stream. One of a capture joins another stream to it; all else that crosses its border is refused. */
#include "null.h"
#include <cupti_runtime_cbid.h>
#include <stdlib.h>

struct CUevent_st { ns_t time; bool recorded; unsigned flags; struct capture *capture; unsigned long long id; ns_t captured; };

static bool is_of_active(cudaEvent_t event) {
  return event->capture && event->capture->id == event->id && is_active(event->capture);
}

static cudaError_t not_of_capture(cudaEvent_t event) {
  LOCK;
  bool is_captured = event->capture != NULL;
  if (is_captured && is_of_active(event)) event->capture->status = cudaStreamCaptureStatusInvalidated;
  UNLOCK;
  return is_captured ? fail(cudaErrorCapturedEvent) : cudaSuccess;
}

EXPORT cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
  *event = calloc(1, sizeof **event);
  (*event)->flags = flags;
  return cudaSuccess;
}
EXPORT cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, 0); }
EXPORT cudaError_t cudaEventDestroy(cudaEvent_t event) {
  free(event);
  return cudaSuccess;
}

static ns_t random_error(void) {
  static unsigned seed = 1;
  return (ns_t)(SET.jitter_us * 1e3 * (rand_r(&seed) / (double)RAND_MAX - 0.5));
}

EXPORT cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t handle, unsigned flags) {
  API_CALL(cudaEventRecord_v3020);
  NEEDS_CONTEXT;
  struct CUstream_st *stream = stream_of(handle);
  cudaError_t error = cudaSuccess;
  host_takes(3 * SET.api_us);
  LOCK;
  if (stream->capture && is_broken(stream->capture)) error = fail(cudaErrorStreamCaptureInvalidated);
  else if (stream->capture && !(flags & cudaEventRecordExternal)) {
    event->capture = stream->capture;
    event->id = stream->capture->id;
    event->captured = stream->captured;
  } else if (!stream->capture) {
    ns_t there = now();
    stream->busy = (stream->busy > there ? stream->busy : there) + (ns_t)(SET.mark_us * 1e3);
    event->capture = NULL;
    event->time = stream->busy + random_error();
  }
  event->recorded = true;
  UNLOCK;
  return error;
}
EXPORT cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) { return cudaEventRecordWithFlags(event, stream, 0); }

EXPORT cudaError_t cudaEventQuery(cudaEvent_t event) {
  NEEDS_CONTEXT;
  cudaError_t error = unsafe();
  if (!error) error = not_of_capture(event);
  if (error) return error;
  host_takes(SET.api_us);
  return event->recorded && event->time > now() ? fail(cudaErrorNotReady) : cudaSuccess;
}

EXPORT cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  API_CALL(cudaEventSynchronize_v3020);
  NEEDS_CONTEXT;
  cudaError_t error = unsafe();
  if (!error) error = not_of_capture(event);
  if (error) return error;
  if (event->recorded) wait_until(event->time);
  host_takes(SET.drain_us);
  return cudaSuccess;
}

EXPORT cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t begin, cudaEvent_t end) {
  if (!begin || !end || !begin->recorded || !end->recorded || ((begin->flags | end->flags) & cudaEventDisableTiming))
    return fail(cudaErrorInvalidResourceHandle);
  cudaError_t error = not_of_capture(begin);
  if (!error) error = not_of_capture(end);
  if (error) return error;
  if (begin->time > now() || end->time > now()) return fail(cudaErrorNotReady);
  double us = (end->time - begin->time) / 1e3;
  if (SET.resolution_us > 0) {
    double steps = us / SET.resolution_us;
    us = SET.resolution_us * (int64_t)(steps < 0 ? steps - 0.5 : steps + 0.5);
  }
  *ms = (float)(us / 1e3);
  return cudaSuccess;
}

EXPORT cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags UNUSED) {
  struct CUstream_st *stream = stream_of(handle);
  cudaError_t error = cudaSuccess;
  LOCK;
  if (!event->recorded) error = cudaSuccess;
  else if (is_of_active(event) && !stream->capture) {
    if (is_legacy(stream)) error = invalidate(event->capture, cudaErrorStreamCaptureImplicit);
    else {
      stream->capture = event->capture;
      stream->captured = event->captured;
      stream->capture->joined++;
    }
  } else if (is_of_active(event) && stream->capture != event->capture) error = invalidate(stream->capture, cudaErrorStreamCaptureMerge);
  else if (is_of_active(event)) {
    if (event->captured > stream->captured) stream->captured = event->captured;
    if (is_broken(stream->capture)) error = fail(cudaErrorStreamCaptureInvalidated);
  } else if (stream->capture)
    error = is_broken(stream->capture) ? fail(cudaErrorStreamCaptureInvalidated) : invalidate(stream->capture, cudaErrorStreamCaptureIsolation);
  else if (event->capture) error = fail(cudaErrorCapturedEvent);
  else if (event->time > stream->busy) stream->busy = event->time;
  UNLOCK;
  return error;
}

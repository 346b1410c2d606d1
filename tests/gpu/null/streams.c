/* Streams: made, waited for, looked at. */
#include "null.h"
#include <cupti_runtime_cbid.h>
#include <stdlib.h>

EXPORT cudaError_t cudaStreamCreateWithPriority(cudaStream_t *made, unsigned flags, int priority) {
  static unsigned made_so_far = 7; /* CUPTI calls the legacy stream 7 */
  struct CUstream_st *stream = calloc(1, sizeof *stream);
  stream->flags = flags;
  stream->priority = priority;
  stream->device = this_device;
  LOCK;
  stream->id = ++made_so_far;
  stream->next = streams;
  streams = stream;
  UNLOCK;
  *made = stream;
  return cudaSuccess;
}
EXPORT cudaError_t cudaStreamCreateWithFlags(cudaStream_t *made, unsigned flags) { return cudaStreamCreateWithPriority(made, flags, 0); }
EXPORT cudaError_t cudaStreamCreate(cudaStream_t *made) { return cudaStreamCreateWithPriority(made, 0, 0); }

EXPORT cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  LOCK;
  for (struct CUstream_st **one = &streams; *one; one = &(*one)->next)
    if (*one == stream) {
      *one = stream->next;
      free(stream);
      break;
    }
  UNLOCK;
  return cudaSuccess;
}

EXPORT cudaError_t cudaStreamGetPriority(cudaStream_t stream, int *priority) {
  *priority = stream_of(stream)->priority;
  return cudaSuccess;
}

EXPORT cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  API_CALL(cudaStreamSynchronize_v3020);
  return wait_for(stream);
}

EXPORT cudaError_t cudaStreamQuery(cudaStream_t handle) {
  struct CUstream_st *stream = stream_of(handle);
  host_takes(SET.api_us);
  LOCK;
  cudaError_t error = stream->capture        ? invalidate(stream->capture, cudaErrorStreamCaptureUnsupported)
                      : stream->busy > now() ? fail(cudaErrorNotReady)
                                             : cudaSuccess;
  UNLOCK;
  return error;
}

EXPORT cudaError_t cudaDeviceSynchronize(void) {
  API_CALL(cudaDeviceSynchronize_v3020);
  NEEDS_CONTEXT;
  LOCK;
  struct capture *capture = capture_under_way();
  cudaError_t error = capture ? invalidate(capture, cudaErrorStreamCaptureUnsupported) : cudaSuccess;
  ns_t begin = now(), busy = device_busy(this_device);
  UNLOCK;
  if (error) return error;
  wait_until(busy);
  host_takes(SET.drain_us);
  record_wait(NULL, begin, now());
  return cudaSuccess;
}

EXPORT cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t call, void *data, unsigned flags UNUSED) {
  call(stream, cudaSuccess, data);
  return cudaSuccess;
}
EXPORT cudaError_t cudaLaunchHostFunc(cudaStream_t stream UNUSED, cudaHostFn_t call, void *data) {
  call(data);
  return cudaSuccess;
}

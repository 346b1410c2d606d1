/* Errors: codes as CUDA's manual has them, the last one of each thread, and contexts that can't be had or are broken. */
#include "null.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const struct { int code; const char *name, *text; } ERRORS[] = {
    {0, "cudaSuccess", "no error"},
    {1, "cudaErrorInvalidValue", "invalid argument"},
    {2, "cudaErrorMemoryAllocation", "out of memory"},
    {3, "cudaErrorInitializationError", "initialization error"},
    {13, "cudaErrorInvalidSymbol", "invalid device symbol"},
    {35, "cudaErrorInsufficientDriver", "CUDA driver version is insufficient for CUDA runtime version"},
    {46, "cudaErrorDevicesUnavailable", "CUDA-capable device(s) is/are busy or unavailable"},
    {98, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {100, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {101, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {400, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {600, "cudaErrorNotReady", "device not ready"},
    {700, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {710, "cudaErrorAssert", "device-side assert triggered"},
    {719, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {801, "cudaErrorNotSupported", "operation not supported"},
    {900, "cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"},
    {901, "cudaErrorStreamCaptureInvalidated", "operation failed due to a previous error during capture"},
    {902, "cudaErrorStreamCaptureMerge", "operation would result in a merge of separate capture sequences"},
    {903, "cudaErrorStreamCaptureUnmatched", "capture was not ended in the same stream as it began"},
    {904, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"},
    {905, "cudaErrorStreamCaptureIsolation", "dependency created on uncaptured work in another stream"},
    {906, "cudaErrorStreamCaptureImplicit", "operation would make the legacy stream depend on a capturing blocking stream"},
    {907, "cudaErrorCapturedEvent", "operation not permitted on an event last recorded in a capturing stream"},
    {908, "cudaErrorStreamCaptureWrongThread", "attempt to terminate a thread-local capture sequence from another thread"},
    {999, "cudaErrorUnknown", "unknown error"},
};
static __thread cudaError_t last_error;
static long launches;

static int place(int code) {
  for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
    if (ERRORS[i].code == code) return i;
  return -1;
}
const char *error_text(int code) { return place(code) < 0 ? "unrecognized error code" : ERRORS[place(code)].text; }
const char *error_name(int code) { return place(code) < 0 ? "unrecognized error code" : ERRORS[place(code)].name; }

cudaError_t fail(cudaError_t error) {
  if (!error) return error;
  last_error = error;
  if (error != cudaErrorNotReady) {
    note("error", error);
    trace("error %d", error);
  }
  return error;
}

EXPORT const char *cudaGetErrorName(cudaError_t error) { return error_name(error); }
EXPORT const char *cudaGetErrorString(cudaError_t error) { return error_text(error); }
EXPORT cudaError_t cudaPeekAtLastError(void) { return last_error; }
EXPORT cudaError_t cudaGetLastError(void) {
  cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

/* `CODE@N` or `MS@N`: the number before, and whether the Nth launch of this process has been made. */
static double from_launch(const char *name, bool *reached) {
  const char *text = setting_text(name), *at = text ? strchr(text, '@') : NULL;
  *reached = text && launches >= (at ? atol(at + 1) : 0);
  return text ? atof(text) : 0;
}

void count_launch(void) {
  static bool has_stalled;
  launches++;
  bool reached;
  double ms = from_launch("STALL", &reached);
  if (reached && !has_stalled) {
    has_stalled = true;
    host_takes(ms * 1e3);
  }
}

static pthread_once_t made = PTHREAD_ONCE_INIT;
static int context = -1; /* the lock's file, -2 where another process has it */
static void make_context(void) {
  const char *lock = setting_text("EXCLUSIVE");
  host_takes(SET.context_ms * 1e3);
  if (!lock) {
    note("context", 0);
    return;
  }
  context = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (context >= 0 && !flock(context, LOCK_EX | LOCK_NB)) {
    note("context", 0);
    return;
  }
  if (context >= 0) close(context);
  context = -2;
}

/* Whether this process is the one that the fault is for: all are, unless ONCE names a file, which the first one makes. */
static bool is_chosen(void) {
  static int chosen = -1;
  const char *file = setting_text("ONCE");
  if (!file) return true;
  if (chosen < 0) chosen = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) >= 0;
  return chosen;
}

cudaError_t refused(void) {
  pthread_once(&made, make_context);
  if (context == -2) {
    made = (pthread_once_t)PTHREAD_ONCE_INIT; /* the next call tries again */
    return fail(cudaErrorDevicesUnavailable);
  }
  if (SET.compute_mode == 2) return fail(cudaErrorDevicesUnavailable); /* prohibited */
  bool broken;
  cudaError_t error = (cudaError_t)from_launch("FAULT", &broken);
  return broken && is_chosen() ? fail(error) : cudaSuccess;
}

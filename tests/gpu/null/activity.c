/* CUPTI's activity records, as Kineto asks for them: calls of the runtime, kernels, copies, waits, and what belongs together.

   Records are kept with times of CLOCK_MONOTONIC and turned into those of the caller's clock when they are handed over,
   by a line through two readings of both clocks. */
#include "null.h"
#include <cupti.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind_of_record { OF_CALL, OF_DRIVER_CALL, OF_WORK, OF_WAIT, OF_CORRELATION };
struct record {
  enum kind_of_record kind;
  ns_t begin, end;
  unsigned correlation, callback, thread, stream, device;
  uint64_t external;
  int external_kind;
  struct work work;
};
static struct record *RECORDS;
static size_t records, room, kernels_seen;
static bool watches[CUPTI_ACTIVITY_KIND_COUNT];
static CUpti_BuffersCallbackRequestFunc request_buffer;
static CUpti_BuffersCallbackCompleteFunc complete_buffer;
static CUpti_TimestampCallbackFunc callers_clock;
static struct { ns_t ours; uint64_t callers; } begun;
static unsigned correlations;
static pthread_mutex_t RECORDING = PTHREAD_MUTEX_INITIALIZER;
static __thread unsigned current_correlation;
static __thread struct { int kind; uint64_t id; } external[64];
static __thread int externals;

static struct { uint8_t *start; size_t bytes; } held; /* a buffer asked for, and not handed back yet */
static void ask_for_buffer(void) {
  size_t most = 0;
  if (!held.start && request_buffer) request_buffer(&held.start, &held.bytes, &most);
}

/* The first record asks for a buffer, as CUPTI does: Kineto flushes nothing if it was asked for none. */
static void add(struct record record) {
  pthread_mutex_lock(&RECORDING);
  ask_for_buffer();
  if (records == room) RECORDS = realloc(RECORDS, (room = room ? 2 * room : 4096) * sizeof *RECORDS);
  RECORDS[records++] = record;
  pthread_mutex_unlock(&RECORDING);
}

/* ---- what the runtime reports ---- */
/* Of each kind the innermost of the caller's own numbers for what it is doing. */
static void name_correlation(void) {
  if (!watches[CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION]) return;
  for (int kind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0; kind <= CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM1; kind++)
    for (int i = externals - 1; i >= 0; i--)
      if (external[i].kind == kind) {
        add((struct record){.kind = OF_CORRELATION, .correlation = current_correlation, .external_kind = kind, .external = external[i].id});
        break;
      }
}

struct api_call api_enter(bool of_driver, unsigned callback) {
  if (!watches[of_driver ? CUPTI_ACTIVITY_KIND_DRIVER : CUPTI_ACTIVITY_KIND_RUNTIME]) return (struct api_call){0};
  current_correlation = __atomic_add_fetch(&correlations, 1, __ATOMIC_RELAXED);
  name_correlation(); /* before what it names: Kineto reads once */
  return (struct api_call){of_driver, callback, current_correlation, now()};
}

void api_exit(struct api_call *call) {
  if (!call->begin) return;
  add((struct record){.kind = call->of_driver ? OF_DRIVER_CALL : OF_CALL, .begin = call->begin, .end = now(), .correlation = call->correlation,
                      .callback = call->callback, .thread = syscall(SYS_gettid)});
  current_correlation = 0;
}

static unsigned number_of(const struct CUstream_st *stream) { return is_legacy(stream) ? 7 : stream->id; }

void record_work(const struct work *work, const struct CUstream_st *stream, ns_t begin, ns_t end) {
  bool is_kernel = work->kind == KERNEL || work->kind == PRODUCT || work->kind == SPIN;
  int kind = is_kernel ? CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL : work->kind == COPY ? CUPTI_ACTIVITY_KIND_MEMCPY : CUPTI_ACTIVITY_KIND_MEMSET;
  if (!watches[kind]) return;
  if (is_kernel && SET.lost_of > 0 && ++kernels_seen % (size_t)SET.lost_of == 0) return;
  add((struct record){.kind = OF_WORK, .begin = begin, .end = end, .correlation = current_correlation, .stream = number_of(stream),
                      .device = stream->device, .work = *work});
}

void record_wait(const struct CUstream_st *stream, ns_t begin, ns_t end) {
  if (!watches[CUPTI_ACTIVITY_KIND_SYNCHRONIZATION]) return;
  add((struct record){.kind = OF_WAIT, .begin = begin, .end = end, .correlation = current_correlation,
                      .stream = stream ? number_of(stream) : (unsigned)-1, .device = this_device});
}

/* ---- handing over ---- */
static double rate; /* of the caller's clock, per nanosecond of ours */
static void read_clocks(void) {
  if (!callers_clock || !begun.ours) return;
  double passed = now() - begun.ours;
  rate = passed > 0 ? (callers_clock() - begun.callers) / passed : 1;
}
static uint64_t stamp(ns_t time) {
  return callers_clock ? begun.callers + (int64_t)(rate * (time - begun.ours)) : (uint64_t)time;
}

union any { CUpti_Activity one; CUpti_ActivityAPI call; CUpti_ActivityKernel10 kernel; CUpti_ActivityMemcpy6 copy; CUpti_ActivityMemset4 set;
            CUpti_ActivitySynchronization2 wait; CUpti_ActivityExternalCorrelation correlation; };

static void kernel_of(const struct record *from, CUpti_ActivityKernel10 *to) {
  *to = (CUpti_ActivityKernel10){
      .kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, .start = stamp(from->begin), .end = stamp(from->end), .deviceId = from->device,
      .contextId = from->device + 1, .streamId = from->stream, .correlationId = from->correlation, .name = from->work.name,
      .registersPerThread = 32, .gridX = from->work.grid.x, .gridY = from->work.grid.y, .gridZ = from->work.grid.z,
      .blockX = from->work.block.x, .blockY = from->work.block.y, .blockZ = from->work.block.z};
}

static size_t written(const struct record *from, union any *to) {
  uint64_t begin = stamp(from->begin), end = stamp(from->end);
  memset(to, 0, sizeof *to);
  switch (from->kind) {
  case OF_CALL: case OF_DRIVER_CALL:
    to->call = (CUpti_ActivityAPI){.kind = from->kind == OF_CALL ? CUPTI_ACTIVITY_KIND_RUNTIME : CUPTI_ACTIVITY_KIND_DRIVER, .cbid = from->callback, .start = begin, .end = end,
                                   .processId = getpid(), .threadId = from->thread, .correlationId = from->correlation};
    return sizeof to->call;
  case OF_WAIT:
    to->wait = (CUpti_ActivitySynchronization2){
        .kind = CUPTI_ACTIVITY_KIND_SYNCHRONIZATION, .start = begin, .end = end, .correlationId = from->correlation, .streamId = from->stream,
        .contextId = from->device + 1,
        .type = from->stream == (unsigned)-1 ? CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_CONTEXT_SYNCHRONIZE : CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE};
    return sizeof to->wait;
  case OF_CORRELATION:
    to->correlation = (CUpti_ActivityExternalCorrelation){.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, .externalKind = from->external_kind,
                                                          .externalId = from->external, .correlationId = from->correlation};
    return sizeof to->correlation;
  case OF_WORK:
    if (from->work.kind == COPY) {
      bool from_device = from->work.copy_kind != CUPTI_ACTIVITY_MEMCPY_KIND_HTOD, to_device = from->work.copy_kind != CUPTI_ACTIVITY_MEMCPY_KIND_DTOH;
      to->copy = (CUpti_ActivityMemcpy6){
          .kind = CUPTI_ACTIVITY_KIND_MEMCPY, .copyKind = from->work.copy_kind, .bytes = from->work.bytes, .start = begin, .end = end,
          .srcKind = from_device ? CUPTI_ACTIVITY_MEMORY_KIND_DEVICE : CUPTI_ACTIVITY_MEMORY_KIND_PAGEABLE,
          .dstKind = to_device ? CUPTI_ACTIVITY_MEMORY_KIND_DEVICE : CUPTI_ACTIVITY_MEMORY_KIND_PAGEABLE, .deviceId = from->device,
          .contextId = from->device + 1, .streamId = from->stream, .correlationId = from->correlation};
      return sizeof to->copy;
    }
    if (from->work.kind == MEMSET) {
      to->set = (CUpti_ActivityMemset4){.kind = CUPTI_ACTIVITY_KIND_MEMSET, .bytes = from->work.bytes, .start = begin, .end = end, .deviceId = from->device,
                                        .contextId = from->device + 1, .streamId = from->stream, .correlationId = from->correlation};
      return sizeof to->set;
    }
    kernel_of(from, &to->kernel);
    return sizeof to->kernel;
  }
  return 0;
}

static size_t in_buffer(size_t bytes) { return (bytes + ACTIVITY_RECORD_ALIGNMENT - 1) & ~(size_t)(ACTIVITY_RECORD_ALIGNMENT - 1); }

EXPORT CUptiResult cuptiActivityFlushAll(uint32_t flags UNUSED) {
  pthread_mutex_lock(&RECORDING);
  struct record *taken = RECORDS;
  size_t count = records, next = 0;
  RECORDS = NULL;
  records = room = 0;
  pthread_mutex_unlock(&RECORDING);
  read_clocks();
  while (next < count) {
    ask_for_buffer();
    if (!held.start) break; /* the caller wants no more: what is left is lost */
    size_t used = 0;
    for (; next < count; next++) {
      union any record;
      size_t bytes = written(&taken[next], &record);
      if (used + in_buffer(bytes) > held.bytes) break;
      memcpy(held.start + used, &record, bytes);
      used += in_buffer(bytes);
    }
    uint8_t *full = held.start;
    held.start = NULL;
    complete_buffer(NULL, 0, full, held.bytes, used);
  }
  free(taken);
  return CUPTI_SUCCESS;
}

static size_t bytes_of(const CUpti_Activity *record) {
  switch (record->kind) {
  case CUPTI_ACTIVITY_KIND_RUNTIME: case CUPTI_ACTIVITY_KIND_DRIVER: return sizeof(CUpti_ActivityAPI);
  case CUPTI_ACTIVITY_KIND_SYNCHRONIZATION: return sizeof(CUpti_ActivitySynchronization2);
  case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: return sizeof(CUpti_ActivityExternalCorrelation);
  case CUPTI_ACTIVITY_KIND_MEMCPY: return sizeof(CUpti_ActivityMemcpy6);
  case CUPTI_ACTIVITY_KIND_MEMSET: return sizeof(CUpti_ActivityMemset4);
  default: return sizeof(CUpti_ActivityKernel10);
  }
}

EXPORT CUptiResult cuptiActivityGetNextRecord(uint8_t *buffer, size_t used, CUpti_Activity **record) {
  uint8_t *next = *record ? (uint8_t *)*record + in_buffer(bytes_of(*record)) : buffer;
  if (next >= buffer + used) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = (CUpti_Activity *)next;
  return CUPTI_SUCCESS;
}

/* ---- what Kineto asks for ---- */
static CUptiResult watch(CUpti_ActivityKind kind, bool so) {
  if (!SET.cupti) return CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
  if (kind >= CUPTI_ACTIVITY_KIND_COUNT) return CUPTI_ERROR_INVALID_KIND;
  watches[kind] = so;
  return CUPTI_SUCCESS;
}
EXPORT CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) { return watch(kind, true); }
EXPORT CUptiResult cuptiActivityDisable(CUpti_ActivityKind kind) { return watch(kind, false); }
EXPORT CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc request, CUpti_BuffersCallbackCompleteFunc complete) {
  request_buffer = request;
  complete_buffer = complete;
  return CUPTI_SUCCESS;
}
EXPORT CUptiResult cuptiActivityRegisterTimestampCallback(CUpti_TimestampCallbackFunc clock) {
  callers_clock = clock;
  begun.ours = now();
  begun.callers = clock ? clock() : 0;
  return CUPTI_SUCCESS;
}
EXPORT CUptiResult cuptiActivityPushExternalCorrelationId(CUpti_ExternalCorrelationKind kind, uint64_t id) {
  if (externals == (int)(sizeof external / sizeof *external)) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  external[externals].kind = kind;
  external[externals++].id = id;
  return CUPTI_SUCCESS;
}
EXPORT CUptiResult cuptiActivityPopExternalCorrelationId(CUpti_ExternalCorrelationKind kind, uint64_t *id) {
  for (int i = externals - 1; i >= 0; i--)
    if (external[i].kind == (int)kind) {
      if (id) *id = external[i].id;
      memmove(&external[i], &external[i + 1], (--externals - i) * sizeof *external);
      return CUPTI_SUCCESS;
    }
  return CUPTI_ERROR_QUEUE_EMPTY;
}
EXPORT CUptiResult cuptiGetVersion(uint32_t *version) { return *version = CUPTI_API_VERSION, CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiGetResultString(CUptiResult result, const char **text) {
  *text = result == CUPTI_ERROR_INSUFFICIENT_PRIVILEGES ? "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES" : "made up";
  return CUPTI_SUCCESS;
}
EXPORT CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext context UNUSED, uint32_t stream UNUSED, size_t *dropped) { return *dropped = 0, CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiActivitySetAttribute(CUpti_ActivityAttribute which UNUSED, size_t *bytes UNUSED, void *value UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiActivityEnableRuntimeApi(CUpti_CallbackId callback UNUSED, uint8_t so UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiActivityEnableDriverApi(CUpti_CallbackId callback UNUSED, uint8_t so UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiActivityEnableCudaEventDeviceTimestamps(uint8_t so UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiSubscribe(CUpti_SubscriberHandle *subscriber, CUpti_CallbackFunc call UNUSED, void *data UNUSED) {
  static int only;
  *subscriber = (CUpti_SubscriberHandle)&only;
  return SET.cupti ? CUPTI_SUCCESS : CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
}
EXPORT CUptiResult cuptiUnsubscribe(CUpti_SubscriberHandle subscriber UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiEnableCallback(uint32_t so UNUSED, CUpti_SubscriberHandle subscriber UNUSED, CUpti_CallbackDomain domain UNUSED, CUpti_CallbackId callback UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiEnableDomain(uint32_t so UNUSED, CUpti_SubscriberHandle subscriber UNUSED, CUpti_CallbackDomain domain UNUSED) { return CUPTI_SUCCESS; }
EXPORT CUptiResult cuptiFinalize(void) { return CUPTI_SUCCESS; }

/* Settings: read once from the environment; a name that is none of them is said, since a typo would go unseen. */
#include "null.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
struct settings SET;
static const char *const TEXTS[] = {
    "FAULT",      /* CODE@N: from the Nth launch of a process on every call fails with it, as after a broken context */
    "ONCE",       /* FILE: only the first process that comes to FAULT has it */
    "STALL",      /* MS@N: the host does nothing for so long at the Nth launch of a process */
    "EXCLUSIVE",  /* FILE: one process alone gets a context, as in compute mode Exclusive_Process */
    "LOG",        /* FILE: a line for each start, context, error and capture of all processes */
    "LIKE",       /* h200: the settings that one was measured to have */
};
static struct { const char *name; double *value; double round, h200; } NUMBERS[] = {
#define NUMBER(field, name, round, h200) {name, &SET.field, round, h200},
    SETTINGS(NUMBER)
#undef NUMBER
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *setting_text(const char *name) {
  char whole[64];
  snprintf(whole, sizeof whole, "NULLGPU_%s", name);
  const char *text = getenv(whole);
  return text && *text ? text : NULL;
}

static bool is_known(const char *entry) {
  size_t length = strcspn(entry, "=");
  for (size_t i = 0; i < COUNT(NUMBERS); i++)
    if (strlen(NUMBERS[i].name) == length && !strncmp(NUMBERS[i].name, entry, length)) return true;
  for (size_t i = 0; i < COUNT(TEXTS); i++)
    if (strlen(TEXTS[i]) == length && !strncmp(TEXTS[i], entry, length)) return true;
  return false;
}

static void read_settings(void) {
  const char *like = setting_text("LIKE");
  bool h200 = like && !strcmp(like, "h200");
  if (like && !h200) fprintf(stderr, "null GPU: NULLGPU_LIKE=%s is not known; the only one is h200\n", like);
  for (size_t i = 0; i < COUNT(NUMBERS); i++) {
    const char *text = setting_text(NUMBERS[i].name);
    char *end = NULL;
    double number = text ? strtod(text, &end) : 0;
    if (text && (end == text || *end)) {
      fprintf(stderr, "null GPU: NULLGPU_%s=%s is no number; its default is used\n", NUMBERS[i].name, text);
      text = NULL;
    }
    *NUMBERS[i].value = text ? number : h200 ? NUMBERS[i].h200 : NUMBERS[i].round;
  }
  for (char **entry = environ; *entry; entry++)
    if (!strncmp(*entry, "NULLGPU_", 8) && !is_known(*entry + 8))
      fprintf(stderr, "null GPU: there is no setting %.*s\n", (int)strcspn(*entry, "="), *entry);
  if (SET.devices > MOST_DEVICES) SET.devices = MOST_DEVICES;
  if (SET.depth > MOST_DEPTH) SET.depth = MOST_DEPTH;
  if (setting_text("EXCLUSIVE")) SET.compute_mode = 3;
}

void note(const char *what, long value) {
  const char *path = setting_text("LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  fprintf(file, "%.6f %d %s %ld\n", time.tv_sec + time.tv_nsec / 1e9, getpid(), what, value);
  fclose(file);
}

void trace(const char *format, ...) {
  if (!SET.trace) return;
  va_list values;
  va_start(values, format);
  fputs("null GPU: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
}

__attribute__((constructor)) static void begin(void) {
  read_settings();
  note("start", getppid());
}
__attribute__((destructor)) static void end(void) { note("end", 0); }

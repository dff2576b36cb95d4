/* popload: a POP3 load generator; one thread, epoll.
 * usage: popload PORT USER PASSWORD CONCURRENCY SESSIONS COMMAND,COMMAND,...
 *   USER may hold one %d: the session's number modulo 50. "RETR*" after STAT retrieves all messages one by one.
 * Prints sessions, failed, seconds, MB and the percentiles of session times in ms, as key=value. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { GREETING, USER, PASS, COMMANDS };
enum { MAX_COMMANDS = 16, USERS = 50, RUN_SECONDS = 120 };

struct session {
  int fd, step, messages, retrieved;
  long number;
  double started;
  char line[512];
  size_t length;
  int in_body, tail; /* tail: how much of CRLF . CRLF was seen */
};

static char *commands[MAX_COMMANDS];
static int command_count, poller;
static long started_count, done_count, failed_count, wanted_count;
static unsigned long long octets;
static double *times;
static const char *user, *password;
static struct sockaddr_in server = {.sin_family = AF_INET};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void start(struct session *s) {
  memset(s, 0, sizeof *s);
  s->number = started_count++;
  s->started = now();
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&server, sizeof server) < 0) {
    perror("connect");
    exit(2);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &event);
}

static void finish(struct session *s, int is_ok) {
  close(s->fd);
  s->fd = -1;
  if (is_ok) times[done_count++] = now() - s->started;
  else failed_count++;
  if (started_count < wanted_count) start(s);
}

static const char *command_of(struct session *s) {
  int index = s->step - COMMANDS;
  return index < 0 ? "" : index < command_count ? commands[index] : "QUIT";
}

static int is_multiline(const char *command) {
  return !strcmp(command, "LIST") || !strcmp(command, "UIDL") || !strcmp(command, "RETR*");
}

static void send_command(struct session *s) {
  char text[512], name[256];
  const char *command = command_of(s);
  snprintf(name, sizeof name, user, (int)(s->number % USERS));
  if (s->step == USER) snprintf(text, sizeof text, "USER %s\r\n", name);
  else if (s->step == PASS) snprintf(text, sizeof text, "PASS %s\r\n", password);
  else if (!strcmp(command, "RETR*")) snprintf(text, sizeof text, "RETR %d\r\n", ++s->retrieved);
  else snprintf(text, sizeof text, "%s\r\n", command);
  if (write(s->fd, text, strlen(text)) < 0) finish(s, 0);
}

static void reply_is_whole(struct session *s) {
  const char *command = command_of(s);
  if (!strcmp(command, "QUIT")) { finish(s, 1); return; }
  if (strcmp(command, "RETR*") || s->retrieved >= s->messages) s->step++;
  send_command(s);
}

static void take_line(struct session *s) {
  if (s->line[0] != '+') { finish(s, 0); return; }
  const char *command = command_of(s);
  if (!strcmp(command, "STAT")) sscanf(s->line, "+OK %d", &s->messages);
  s->length = 0;
  s->in_body = is_multiline(command);
  s->tail = 2;
  if (!s->in_body) reply_is_whole(s);
}

static void feed(struct session *s, const char *bytes, size_t count) {
  static const char end[] = "\r\n.\r\n";
  octets += count;
  for (size_t at = 0; at < count && s->fd >= 0;) {
    if (!s->in_body) {
      char c = bytes[at++];
      if (s->length < sizeof s->line - 1) s->line[s->length++] = c;
      s->line[s->length] = 0;
      if (c == '\n') take_line(s);
      continue;
    }
    if (s->tail == 0) {
      const char *next = memchr(bytes + at, '\r', count - at);
      if (next == NULL) return;
      at = next - bytes;
    }
    char c = bytes[at++];
    s->tail = c == end[s->tail] ? s->tail + 1 : c == '\r' ? 1 : 0;
    if (s->tail == 5) { s->in_body = 0; reply_is_whole(s); }
  }
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
  if (count != 7) { fprintf(stderr, "popload: see the first lines of popload.c\n"); return 100; }
  server.sin_port = htons(atoi(arguments[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  user = arguments[2];
  password = arguments[3];
  int concurrency = atoi(arguments[4]);
  wanted_count = atol(arguments[5]);
  for (char *word = strtok(arguments[6], ","); word && command_count < MAX_COMMANDS; word = strtok(NULL, ","))
    commands[command_count++] = word;
  times = calloc(wanted_count + 1, sizeof *times);
  struct session *sessions = calloc(concurrency, sizeof *sessions);
  poller = epoll_create1(0);
  double begin = now();
  for (int i = 0; i < concurrency && started_count < wanted_count; i++) start(&sessions[i]);
  static char buffer[1 << 18];
  while (done_count + failed_count < wanted_count && now() - begin < RUN_SECONDS) {
    struct epoll_event events[64];
    int ready = epoll_wait(poller, events, 64, 200);
    for (int i = 0; i < ready; i++) {
      struct session *s = events[i].data.ptr;
      ssize_t got = read(s->fd, buffer, sizeof buffer);
      if (got <= 0) finish(s, 0);
      else feed(s, buffer, got);
    }
  }
  double seconds = now() - begin;
  qsort(times, done_count, sizeof *times, by_value);
  printf("sessions=%ld failed=%ld seconds=%.3f megabytes=%.1f p50=%.2f p99=%.2f\n", done_count,
         wanted_count - done_count, seconds, octets / 1e6, times[done_count / 2] * 1e3,
         times[done_count * 99 / 100] * 1e3);
  return done_count == wanted_count ? 0 : 1;
}

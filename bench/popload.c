/* popload: a POP3 load generator for 127.0.0.1; one thread, epoll, bounded in time and memory.
 *
 * usage: popload [options] PORT USER PASSWORD COMMAND,COMMAND,...
 *   -c N  sessions at a time (1)         -n N  sessions in all (1)
 *   -t S  start no session after S seconds, however many -n allows
 *   -u N  users: %d in USER is the session's number modulo N (1)
 *   -w N  RETRs on the way at a time: 1, one by one (the default), up to 256, pipelined
 *   -s    STLS before the login           -p    a PROXY header, version 2, before all else
 * Besides POP3's own, a COMMAND may be
 *   RETR*  RETR of each message that the last STAT counted
 *   HOLD   stays logged in; a session that holds does not count for -c. When all -n hold, prints "ready"
 *   NOOP*  (with -n 1) prints "ready", then a NOOP every millisecond
 * and the last two go on when standard input ends.
 *
 * Prints one line of key=value: times in ms as percentiles over sessions; retr_seconds is the time spent in RETR*, summed
 * over sessions. Exit status: 0 when every session ended with +OK to its QUIT, 1 when one did not, 2 when it cannot run. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/ssl.h>
#endif

enum { GREETING, STLS, USER, PASS, COMMANDS };
/* MAX_WINDOW commands fit into any socket's buffer, so that a write never waits for a server that waits for us. */
enum { MAX_COMMANDS = 16, MAX_WINDOW = 256, MAX_NOOPS = 1000000, RUN_SECONDS = 120, REPLY_SECONDS = 60 };

struct session {
  int fd, step, messages, asked, answered, is_over, is_held;
  long number;
  double started, greeted, retr_started;
  char line[512];
  size_t length;
  int in_body, matched; /* matched: how many octets of CRLF . CRLF were seen */
  struct session *next_held;
#ifdef TLS
  SSL *tls;
#endif
};

static char *commands[MAX_COMMANDS];
static int command_count, poller, concurrency = 1, users = 1, window = 1, with_tls, with_header, is_released;
static long wanted = 1, started_count, done_count, failed_count, held_count, retrieved;
static double start_seconds = RUN_SECONDS, began, last_end, retr_seconds, *times, *greetings;
static unsigned long long retr_octets;
static const char *user, *password;
static struct sockaddr_in server = {.sin_family = AF_INET};
static struct session *held, *prober;
static double *noops, noop_sent, noop_due;
static long noop_count;
#ifdef TLS
static SSL_CTX *tls_context;
#endif

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(2);
}

/* As HAProxy's send-proxy-v2: TCP over IPv4, from 192.0.2.1:4321 to 192.0.2.2:110. */
static void send_header(int fd) {
  static const char header[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\14\300\0\2\1\300\0\2\2\20\341\0\156";
  if (send(fd, header, sizeof header - 1, MSG_NOSIGNAL) != sizeof header - 1) die("send");
}

static void start(void) {
  struct session *s = calloc(1, sizeof *s);
  if (s == NULL) die("calloc");
  s->number = started_count++;
  s->started = now();
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&server, sizeof server) < 0) die("connect");
  int one = 1;
  struct timeval limit = {.tv_sec = REPLY_SECONDS};
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (with_header) send_header(s->fd);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &event) < 0) die("epoll_ctl");
}

static void start_more(void) {
  while (started_count < wanted && started_count - done_count - failed_count - held_count < concurrency &&
         (started_count == 0 || now() - began < start_seconds))
    start();
}

/* The session itself is freed by whoever called last, and one that holds by release. */
static void finish(struct session *s, const char *failure) {
  if (s->is_over) return;
  s->is_over = 1;
  if (s->is_held) held_count--;
  last_end = now();
  if (failure == NULL) {
    times[done_count] = last_end - s->started;
    greetings[done_count++] = s->greeted;
  } else if (failed_count++ == 0) {
    fprintf(stderr, "popload: session %ld: %s\n", s->number, failure);
  }
  close(s->fd);
#ifdef TLS
  SSL_free(s->tls);
#endif
}

static const char *command_of(const struct session *s) {
  int index = s->step - COMMANDS;
  return index < 0 ? "" : index < command_count ? commands[index] : "QUIT";
}

static int is_multiline(const char *command) {
  return !strcmp(command, "LIST") || !strcmp(command, "UIDL") || !strncmp(command, "RETR", 4) ||
         !strncmp(command, "TOP ", 4);
}

static void send_text(struct session *s, const char *text, size_t length) {
#ifdef TLS
  if (s->tls != NULL) {
    if (SSL_write(s->tls, text, length) <= 0) finish(s, "cannot write");
    return;
  }
#endif
  if (send(s->fd, text, length, MSG_NOSIGNAL) != (ssize_t)length) finish(s, "cannot write");
}

/* Fills the window again once half of it was answered, with one write. */
static void ask_for_messages(struct session *s) {
  char text[MAX_WINDOW * 17];
  size_t length = 0;
  if (s->asked == 0) s->retr_started = now();
  if (s->asked - s->answered > window / 2) return;
  while (s->asked < s->messages && s->asked - s->answered < window)
    length += sprintf(text + length, "RETR %d\r\n", ++s->asked);
  if (length > 0) send_text(s, text, length);
}

static void hold(struct session *s) {
  s->next_held = held;
  held = s;
  s->is_held = 1;
  if (++held_count == wanted) puts("ready");
}

static void send_noop(void) {
  noop_sent = now();
  send_text(prober, "NOOP\r\n", 6);
}

static void send_command(struct session *s) {
  char text[512], name[256];
  const char *command = command_of(s);
  if (!strcmp(command, "RETR*") && s->messages > 0) {
    s->asked = s->answered = 0;
    ask_for_messages(s);
    return;
  }
  if (!strcmp(command, "HOLD") && !is_released) { hold(s); return; }
  if (!strcmp(command, "NOOP*")) {
    prober = s;
    puts("ready");
    send_noop();
    return;
  }
  if (strchr(command, '*') || !strcmp(command, "HOLD")) { s->step++; send_command(s); return; }
  snprintf(name, sizeof name, user, (int)(s->number % users));
  if (s->step == STLS) strcpy(text, "STLS\r\n");
  else if (s->step == USER) snprintf(text, sizeof text, "USER %s\r\n", name);
  else if (s->step == PASS) snprintf(text, sizeof text, "PASS %s\r\n", password);
  else snprintf(text, sizeof text, "%s\r\n", command);
  send_text(s, text, strlen(text));
}

static void begin_tls(struct session *s) {
#ifdef TLS
  s->tls = SSL_new(tls_context);
  SSL_set_fd(s->tls, s->fd);
  if (SSL_connect(s->tls) != 1) finish(s, "no TLS");
#else
  (void)s;
#endif
}

static void noop_is_answered(struct session *s) {
  double end = now();
  if (noop_count < MAX_NOOPS) noops[noop_count++] = end - noop_sent;
  noop_due = end + 0.001;
  if (!is_released) return;
  prober = NULL;
  s->step++;
  send_command(s);
}

/* Also for the greeting: whatever comes next is sent. */
static void reply_is_whole(struct session *s) {
  const char *command = command_of(s);
  if (!strcmp(command, "QUIT")) { finish(s, NULL); return; }
  if (!strcmp(command, "NOOP*")) { noop_is_answered(s); return; }
  if (!strcmp(command, "RETR*")) {
    if (++s->answered < s->messages) { ask_for_messages(s); return; }
    retr_seconds += now() - s->retr_started;
    retrieved += s->answered;
  }
  if (s->step == GREETING) s->greeted = now() - s->started;
  if (s->step == STLS) begin_tls(s);
  s->step += s->step == GREETING && !with_tls ? USER - GREETING : 1;
  if (!s->is_over) send_command(s);
}

static void take_line(struct session *s) {
  const char *command = command_of(s);
  if (s->line[0] != '+') { finish(s, s->line); return; }
  if (!strcmp(command, "STAT")) sscanf(s->line, "+OK %d", &s->messages);
  s->length = 0;
  s->in_body = is_multiline(command);
  s->matched = 2;
  if (!s->in_body) reply_is_whole(s);
}

/* Goes from dot to dot, which are rare, and looks at single octets only around them. Returns where the body, or the chunk, ends. */
static size_t skip_body(struct session *s, const char *bytes, size_t at, size_t count) {
  static const char end[] = "\r\n.\r\n";
  while (at < count) {
    if (s->matched > 0) {
      char c = bytes[at++];
      s->matched = c == end[s->matched] ? s->matched + 1 : c == '\r' ? 1 : 0;
      if (s->matched < 5) continue;
      s->in_body = 0;
      return at;
    }
    const char *dot = memchr(bytes + at, '.', count - at);
    if (dot == NULL) {
      if (bytes[count - 1] == '\r') s->matched = 1;
      else if (count - at >= 2 && bytes[count - 2] == '\r' && bytes[count - 1] == '\n') s->matched = 2;
      return count;
    }
    if (dot - (bytes + at) >= 2 && dot[-2] == '\r' && dot[-1] == '\n') s->matched = 3;
    at = dot - bytes + 1;
  }
  return at;
}

static void feed(struct session *s, const char *bytes, size_t count) {
  if (!strcmp(command_of(s), "RETR*")) retr_octets += count;
  for (size_t at = 0; at < count && !s->is_over;) {
    if (s->in_body) {
      at = skip_body(s, bytes, at, count);
      if (!s->in_body) reply_is_whole(s);
      continue;
    }
    const char *end = memchr(bytes + at, '\n', count - at);
    size_t piece = end == NULL ? count - at : (size_t)(end - (bytes + at)) + 1;
    size_t room = sizeof s->line - 1 - s->length, kept = piece < room ? piece : room;
    memcpy(s->line + s->length, bytes + at, kept);
    s->length += kept;
    s->line[s->length] = 0;
    at += piece;
    if (end != NULL) take_line(s);
  }
}

static void receive(struct session *s) {
  static char buffer[1 << 18];
#ifdef TLS
  while (s->tls != NULL) {
    int got = SSL_read(s->tls, buffer, sizeof buffer);
    if (got <= 0) finish(s, "closed");
    else feed(s, buffer, got);
    if (s->is_over || !SSL_pending(s->tls)) return;
  }
#endif
  ssize_t got = read(s->fd, buffer, sizeof buffer);
  if (got <= 0) finish(s, "closed");
  else feed(s, buffer, got);
}

static void release(void) {
  char text[64];
  if (read(0, text, sizeof text) > 0) return;
  is_released = 1;
  epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL);
  while (held != NULL) {
    struct session *s = held;
    held = s->next_held;
    if (s->is_over) { free(s); continue; }
    s->is_held = 0;
    held_count--;
    send_command(s);
    if (s->is_over) free(s);
  }
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_times(const char *name, double *values, long count) {
  if (count == 0) return;
  qsort(values, count, sizeof *values, by_value);
  printf(" %s_p50=%.3f %s_p99=%.3f %s_max=%.3f", name, values[count / 2] * 1e3, name, values[count * 99 / 100] * 1e3, name,
         values[count - 1] * 1e3);
}

static int usage(void) {
  fprintf(stderr, "popload: see the first lines of popload.c\n");
  return 2;
}

static int read_arguments(int count, char **arguments) {
  int option;
  while ((option = getopt(count, arguments, "c:n:t:u:w:sp")) != -1) {
    if (option == 'c') concurrency = atoi(optarg);
    else if (option == 'n') wanted = atol(optarg);
    else if (option == 't') start_seconds = atof(optarg);
    else if (option == 'u') users = atoi(optarg);
    else if (option == 'w') window = atoi(optarg);
    else if (option == 's') with_tls = 1;
    else if (option == 'p') with_header = 1;
    else return 0;
  }
  if (count - optind != 4 || concurrency < 1 || wanted < 1 || users < 1 || window < 1 || window > MAX_WINDOW) return 0;
  server.sin_port = htons(atoi(arguments[optind]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  user = arguments[optind + 1];
  password = arguments[optind + 2];
  for (char *word = strtok(arguments[optind + 3], ","); word; word = strtok(NULL, ",")) {
    if (command_count == MAX_COMMANDS) return 0;
    commands[command_count++] = word;
    if (!strcmp(word, "NOOP*") && wanted != 1) return 0;
  }
  return 1;
}

static void prepare(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  times = calloc(wanted, sizeof *times);
  greetings = calloc(wanted, sizeof *greetings);
  noops = calloc(MAX_NOOPS, sizeof *noops);
  poller = epoll_create1(0);
  if (times == NULL || greetings == NULL || noops == NULL || poller < 0) die("popload");
  for (int i = 0; i < command_count; i++)
    if (!strcmp(commands[i], "HOLD") || !strcmp(commands[i], "NOOP*")) {
      struct epoll_event event = {.events = EPOLLIN};
      if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event) < 0) die("standard input");
      break;
    }
#ifdef TLS
  tls_context = SSL_CTX_new(TLS_client_method());
  if (tls_context == NULL) die("TLS");
#else
  if (with_tls) { fprintf(stderr, "popload: built without TLS\n"); exit(2); }
#endif
}

int main(int count, char **arguments) {
  if (!read_arguments(count, arguments)) return usage();
  prepare();
  began = now();
  start_more();
  while (done_count + failed_count < started_count && now() - began < RUN_SECONDS) {
    struct epoll_event events[64];
    int ready = epoll_wait(poller, events, 64, prober != NULL ? 1 : 200);
    for (int i = 0; i < ready; i++) {
      struct session *s = events[i].data.ptr;
      if (s == NULL) { release(); continue; }
      receive(s);
      if (s->is_over && !s->is_held) free(s);
    }
    if (prober != NULL && noop_due > noop_sent && now() >= noop_due) send_noop();
    start_more();
  }
  long unfinished = started_count - done_count - failed_count;
  double seconds = last_end - began;
  printf("sessions=%ld failed=%ld seconds=%.4f per_second=%.1f retr_seconds=%.4f retr_messages=%ld retr_megabytes=%.3f",
         done_count, failed_count + unfinished, seconds, done_count / seconds, retr_seconds, retrieved, retr_octets / 1e6);
  print_times("session", times, done_count);
  print_times("greeting", greetings, done_count);
  print_times("noop", noops, noop_count);
  printf("\n");
  return failed_count + unfinished > 0;
}

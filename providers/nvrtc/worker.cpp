#include "providers/nvrtc/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "providers/nvrtc/device_headers.h"
#include "providers/nvrtc/message.h"

extern char** environ;

namespace burnish::nvrtc {

// The owner sends {digest of the device text, architecture, name, text, options…}; the answer is {cubin}, or {code, cause, remedy}.

namespace {

/// How a worker is started: it has a socket as input, ignores what a terminal sends to this process's group (who cancels a build ends it
/// in good order), and takes every signal as a fresh process does.
class Start {
 public:
  explicit Start(int socket) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, socket, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }

  /// 0 where the program cannot be run.
  pid_t run(std::string program, std::string library) const {
    char* const arguments[] = {program.data(), library.data(), nullptr};
    pid_t pid = 0;
    return posix_spawn(&pid, program.c_str(), &files_, &attributes_, arguments, environ) == 0 ? pid : 0;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

/// What waitpid says of a process that ended; a host program that waits for all its children may have taken it.
std::string how_it_ended(bool known, int status) {
  if (known && WIFSIGNALED(status))
    return "was ended by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) +
           ")";
  if (known) return "ended with status " + std::to_string(WEXITSTATUS(status));
  return "ended";
}

Message answer(const Result<std::vector<std::byte>>& made) {
  if (made) return {std::string(reinterpret_cast<const char*>(made->data()), made->size())};
  const Error& error = made.error();
  return {std::to_string(static_cast<int>(error.code())), error.cause(), error.remedy()};
}

/// Sent and made by the same version of the project, or not at all.
Result<std::vector<std::byte>> asked(const Result<Compiler>& compiler, const Message& request) {
  if (request.size() < 4 || request[0] != device_text_digest())
    return Error(Code::internal, "burnish-nvrtc is of another version than the compiler library beside it")
        .remedy("install both from one build");
  if (!compiler) return compiler.error();
  return compiler->compile({request[2], request[3], {request.begin() + 4, request.end()}}, request[1]);
}

}  // namespace

std::optional<Worker> Worker::start(const std::string& program, const std::string& library) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {};
  const pid_t pid = Start(ends[1]).run(program, library);
  close(ends[1]);
  if (pid == 0) {
    close(ends[0]);
    return {};
  }
  return Worker(pid, ends[0]);
}

Worker::Worker(Worker&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), socket_(std::exchange(other.socket_, -1)), serves_(other.serves_) {}

Worker::~Worker() { end(); }

/// Ends the process by the end of its input, and says how it ended.
std::string Worker::end() {
  serves_ = false;
  if (socket_ >= 0) {
    shutdown(socket_, SHUT_RDWR);  // a copy in a process that the host forked does not keep it open
    close(std::exchange(socket_, -1));
  }
  if (pid_ == 0) return "ended";
  int status = 0;
  pid_t waited;
  while ((waited = waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
  }
  return how_it_ended(std::exchange(pid_, 0) == waited, status);
}

Error Worker::lost(const Program& program, const std::string& how) {
  return Error(Code::internal, "the process burnish-nvrtc that compiled kernel '" + program.name + "' " + how)
      .remedy(
          "build again, on fewer cores (taskset -c) if memory ran short; a build with one thread "
          "needs no such process");
}

Result<std::vector<std::byte>> Worker::compile(const Program& program, std::string_view architecture) {
  Message request = {device_text_digest(), std::string(architecture), program.name, program.text};
  request.insert(request.end(), program.options.begin(), program.options.end());
  if (!send(socket_, request)) return lost(program, end());
  Result<std::optional<Message>> reply = receive(socket_);
  if (reply && !*reply) return lost(program, end());
  if (!reply || ((*reply)->size() != 1 && (*reply)->size() != 3)) {
    kill(pid_, SIGKILL);
    end();
    return lost(program, "answers what is no cubin" + (reply ? std::string() : ": " + reply.error().what()));
  }
  const Message& said = **reply;
  if (said.size() == 1) {
    const auto* bytes = reinterpret_cast<const std::byte*>(said[0].data());
    return std::vector<std::byte>(bytes, bytes + said[0].size());
  }
  return Error(static_cast<Code>(std::atoi(said[0].c_str())), said[1]).remedy(said[2]);
}

int serve(int socket, const std::string& library) {
  const Result<Compiler> compiler = Compiler::open(library);
  for (;;) {
    const Result<std::optional<Message>> request = receive(socket);
    if (!request) return 1;
    if (!*request) return 0;
    if (!send(socket, answer(asked(compiler, **request)))) return 1;
  }
}

}  // namespace burnish::nvrtc

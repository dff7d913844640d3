#include "providers/nvrtc/compiler_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "providers/nvrtc/message.h"
#include "providers/nvrtc/worker.h"

namespace burnish::nvrtc {

namespace {

const Compiler& compiler() {
  static const Result<Compiler> opened = Compiler::open();
  EXPECT_TRUE(opened) << opened.error().cause();
  return *opened;
}

std::string library() { return std::filesystem::path(compiler().path()).parent_path(); }

/// Another kernel for each number.
Program scale(int by) {
  return {"scale_" + std::to_string(by),
          "extern \"C\" __global__ void kernel(float* data) { data[threadIdx.x] *= " + std::to_string(by) +
              "; }\n",
          {}};
}

Worker real_worker() {
  std::optional<Worker> worker = Worker::start(BURNISH_WORKER, library());
  EXPECT_TRUE(worker);
  return *std::move(worker);
}

/// A program for the shell in place of burnish-nvrtc; its socket is &0.
class Script {
 public:
  explicit Script(const std::string& text)
      : path_(::testing::TempDir() + "worker" + std::to_string(getpid()) + ".sh") {
    std::ofstream(path_) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~Script() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What is said when a worker that does as `script` says is asked to compile.
std::string complaint(const std::string& script) {
  const Script program(script);
  std::optional<Worker> worker = Worker::start(program.path(), library());
  if (!worker) return "it does not start";
  const auto made = worker->compile(scale(2), "sm_90");
  EXPECT_FALSE(worker->serves());
  const std::string remedy = made ? "" : made.error().remedy();
  EXPECT_EQ(remedy,
            "build again, on fewer cores (taskset -c) if memory ran short; a build with one thread needs no "
            "such process");
  return made ? "it compiles" : made.error().cause();
}

/// Compiles scale(0) to scale(count - 1), `threads` at once.
std::vector<std::vector<std::byte>> compile_all(const CompilerPool& pool, int count, int threads) {
  std::vector<std::vector<std::byte>> cubins(static_cast<size_t>(count));
  std::atomic<int> next = 0;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&] {
      for (int i; (i = next++) < count;) {
        auto cubin = pool.compile(scale(i), "sm_90");
        EXPECT_TRUE(cubin) << cubin.error().cause();
        if (cubin) cubins[static_cast<size_t>(i)] = *std::move(cubin);
      }
    });
  for (std::thread& thread : running) thread.join();
  return cubins;
}

}  // namespace

TEST(Worker, CompilesToTheBytesOfThisProcess) {
  Worker worker = real_worker();
  const Program program = {
      "defined", "#include \"base/primitives.cuh\"\n__constant__ int value = VALUE;\n", {"-DVALUE=7"}};
  for (const std::string_view architecture : {"sm_80", "sm_90", "sm_120"}) {
    const auto there = worker.compile(program, architecture);
    ASSERT_TRUE(there) << there.error().cause();
    EXPECT_EQ(*there, *compiler().compile(program, architecture));
  }
}

TEST(Worker, ErrorsComeThroughWholeAndItServesOn) {
  Worker worker = real_worker();
  std::string long_text;
  for (int i = 0; i < 90; ++i) long_text += "int f" + std::to_string(i) + "() { return missing; }\n";
  for (const auto& [text, architecture] :
       {std::pair{std::string("__global__ void kernel() { missing; }"), "sm_90"},
        {long_text, "sm_80"},
        {std::string(), "sm_75"}}) {
    const auto there = worker.compile({"broken", text, {}}, architecture);
    const auto here = compiler().compile({"broken", text, {}}, architecture);
    ASSERT_FALSE(there || here);
    EXPECT_EQ(there.error().code(), here.error().code());
    EXPECT_EQ(there.error().cause(), here.error().cause());
    EXPECT_EQ(there.error().remedy(), here.error().remedy());
  }
  EXPECT_TRUE(worker.compile(scale(3), "sm_90"));
}

TEST(Worker, WithoutNvrtcSaysSo) {
  std::optional<Worker> worker = Worker::start(BURNISH_WORKER, "/nowhere/lib");
  ASSERT_TRUE(worker);
  const auto made = worker->compile(scale(2), "sm_90");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().cause(), Compiler::open("/nowhere/lib").error().cause());
}

TEST(Worker, OfAnotherVersionSaysSo) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::thread served([&] { EXPECT_EQ(serve(ends[1], library()), 0); });
  EXPECT_TRUE(send(ends[0], {"another digest", "sm_90", "name", "text"}));
  const auto answer = receive(ends[0]);
  close(ends[0]);
  served.join();
  close(ends[1]);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(**answer, (Message{"9", "burnish-nvrtc is of another version than the compiler library beside it",
                               "install both from one build"}));
}

TEST(Worker, ThatEndsIsAnErrorWhichSaysHow) {
  const std::string who = "the process burnish-nvrtc that compiled kernel 'scale_2' ";
  EXPECT_EQ(complaint("kill -9 $$"), who + "was ended by signal 9 (Killed)");
  EXPECT_EQ(complaint("kill -11 $$"), who + "was ended by signal 11 (Segmentation fault)");
  EXPECT_EQ(complaint("exit 3"), who + "ended with status 3");
  EXPECT_EQ(complaint("head -c 20 <&0 >/dev/null; exit 4"), who + "ended with status 4");
}

TEST(Worker, ThatAnswersNonsenseIsAnError) {
  const std::string who = "the process burnish-nvrtc that compiled kernel 'scale_2' answers what is no cubin";
  EXPECT_EQ(complaint("echo Segmentation fault >&0; exec sleep 100"), who + ": what comes is no message");
  EXPECT_EQ(complaint("printf 'brnk\\0\\0\\0\\0' >&0; exec sleep 100"), who);
}

TEST(Worker, KeepsNothingOpenOfTheProcessThatStartedIt) {
  const int left = open("/dev/zero", O_RDONLY);  // for every child
  ASSERT_GT(left, 2);
  Worker worker = real_worker();
  ASSERT_TRUE(worker.compile(scale(2), "sm_90"));
  close(left);
  for (const auto& file :
       std::filesystem::directory_iterator("/proc/" + std::to_string(worker.pid()) + "/fd"))
    EXPECT_NE(std::filesystem::read_symlink(file.path()), "/dev/zero");
}

TEST(Worker, SlowToStartIsWaitedFor) {
  const Script late("sleep 0.3; exec " BURNISH_WORKER " \"$1\"");
  std::optional<Worker> worker = Worker::start(late.path(), library());
  ASSERT_TRUE(worker);
  EXPECT_TRUE(worker->compile(scale(2), "sm_90"));
}

TEST(Worker, EndsWithItsOwner) {
  pid_t pid = 0;
  {
    Worker worker = real_worker();
    pid = worker.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1) << "it is waited for";
}

TEST(Worker, EndsWhenTheProcessThatOwnsItIsKilled) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that it becomes a child of this process
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    Worker worker = real_worker();
    const pid_t pid = worker.compile(scale(2), "sm_90") ? worker.pid() : 0;
    if (write(told[1], &pid, sizeof pid) == sizeof pid) raise(SIGKILL);
    _exit(1);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(told[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_GT(pid, 0);
  int status = 0;
  EXPECT_EQ(waitpid(owner, &status, 0), owner);
  EXPECT_TRUE(WIFSIGNALED(status));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  pid_t ended = 0;
  while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(ended, pid);
  EXPECT_TRUE(WIFEXITED(status));
  close(told[0]);
  close(told[1]);
}

TEST(CompilerPool, OneThreadNeedsNoOtherProcess) {
  const CompilerPool pool(compiler(), BURNISH_WORKER);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.compile(scale(i), "sm_90"));
  EXPECT_EQ(pool.idle(), 0);
}

TEST(CompilerPool, AHundredProgramsOverFourThreads) {
  const CompilerPool pool(compiler(), BURNISH_WORKER);
  const auto cubins = compile_all(pool, 100, 4);
  EXPECT_GT(pool.idle(), 0);
  EXPECT_LT(pool.idle(), 4);
  EXPECT_EQ(std::set(cubins.begin(), cubins.end()).size(), 100u);
  for (size_t i = 0; i < cubins.size(); i += 9)
    EXPECT_EQ(cubins[i], *compiler().compile(scale(static_cast<int>(i)), "sm_90")) << i;
}

TEST(CompilerPool, PreparedProcessesAreTheOnesUsed) {
  const CompilerPool pool(compiler(), BURNISH_WORKER);
  pool.prepare(4);
  EXPECT_EQ(pool.idle(), 3);
  compile_all(pool, 8, 4);
  pool.prepare(4);
  EXPECT_EQ(pool.idle(), 3);
}

TEST(CompilerPool, WithoutTheProgramThisProcessDoesAll) {
  const CompilerPool pool(compiler(), "/nowhere/burnish-nvrtc");
  pool.prepare(4);
  for (const auto& cubin : compile_all(pool, 8, 4)) EXPECT_FALSE(cubin.empty());
  EXPECT_EQ(pool.idle(), 0);
}

TEST(CompilerPool, WhoEndsIsReplaced) {
  const Script once("if mkdir \"$0.ended\" 2>/dev/null; then exit 5; else exec " BURNISH_WORKER
                    " \"$1\"; fi");
  const CompilerPool pool(compiler(), once.path());
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) failed += !pool.compile(scale(i), "sm_90");
    });
  for (std::thread& thread : threads) thread.join();
  std::filesystem::remove(once.path() + ".ended");
  EXPECT_EQ(failed, 1);
  EXPECT_GT(pool.idle(), 0);
}

}  // namespace burnish::nvrtc

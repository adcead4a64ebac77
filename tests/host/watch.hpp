// SPDX-License-Identifier: BSD-2-Clause-Patent
// Counts what a fast path must not do: allocate, lock, call the system.
//
// Takes the place of libc's malloc and locks in the whole program, so one source file of it
// includes this.  Not for sanitized programs, which allocate and lock on their own account.
#pragma once

#include <dlfcn.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace espalier::test {

struct Seen {
  unsigned allocations = 0, locks = 0, system_calls = 0;
  bool all = true;  ///< False if this kernel has no system call dispatch: those were not counted.
};

namespace watch {

inline volatile unsigned char selector = SYSCALL_DISPATCH_FILTER_ALLOW;
inline bool counting = false;
inline Seen seen;

/// A system call was made while they were blocked: counts it and lets everything through from then
/// on.
inline void on_blocked(int, siginfo_t*, void*) {
  selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  ++seen.system_calls;
}

/// False if this kernel can't.
inline bool watch_system_calls() {
  struct sigaction action {};
  action.sa_sigaction = on_blocked;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) == 0;
}

/// The function of this name behind ours.
template <class Function>
Function behind(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace watch

/// What `work` does, on this thread.  Of system calls the first is counted.
template <class Work>
Seen watched(Work&& work) {
  watch::seen = {};
  watch::seen.all = watch::watch_system_calls();
  watch::counting = true;
  if (watch::seen.all) watch::selector = SYSCALL_DISPATCH_FILTER_BLOCK;
  work();
  watch::selector = SYSCALL_DISPATCH_FILTER_ALLOW;
  watch::counting = false;
  return watch::seen;
}

}  // namespace espalier::test

// In the place of libc's: count, and go on to it.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* malloc(std::size_t bytes) {
  espalier::test::watch::seen.allocations += espalier::test::watch::counting;
  return __libc_malloc(bytes);
}
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto real =
      espalier::test::watch::behind<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  espalier::test::watch::seen.locks += espalier::test::watch::counting;
  return real(mutex);
}
extern "C" int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static const auto real =
      espalier::test::watch::behind<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  espalier::test::watch::seen.locks += espalier::test::watch::counting;
  return real(lock);
}
extern "C" int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static const auto real =
      espalier::test::watch::behind<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  espalier::test::watch::seen.locks += espalier::test::watch::counting;
  return real(lock);
}

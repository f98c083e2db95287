#include "capture_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <utility>

namespace procflow {
namespace {

// Under load a batch takes in what several rounds collect: the receiver is woken seldom, and does more at a time.
constexpr std::chrono::milliseconds kDeliveryInterval{50};

}  // namespace

CaptureThread::CaptureThread(std::unique_ptr<Source> source, std::function<bool(Block)> deliver,
                             std::function<void(const std::string&)> failed)
    : source_(std::move(source)), deliver_(std::move(deliver)), failed_(std::move(failed)), tiers_(source_->tiers()) {
  stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd_ < 0) throw std::runtime_error("eventfd failed");
  thread_ = std::thread([this] {
    run();
    // Now, not when memory is tidied up, and here: to put back what it changed on the host takes this thread's privileges.
    source_.reset();
  });
  pthread_setname_np(thread_.native_handle(), "capture");
}

CaptureThread::~CaptureThread() {
  stop();
  ::close(stop_fd_);
}

void CaptureThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  const std::uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) < 0) {
    // The counter is full: it is readable anyway.
  }
  if (thread_.joinable()) thread_.join();
}

void CaptureThread::received() {
  {
    const std::lock_guard lock(mutex_);
    underway_--;
  }
  room_.notify_one();
}

void CaptureThread::set_filter(const Filter& filter) {
  const std::lock_guard lock(mutex_);
  next_filter_ = filter;
}

void CaptureThread::set_tier(const std::string& name, bool on, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  next_tiers_.push_back({name, on, reason});
}

void CaptureThread::set_budget(double percent) {
  const std::lock_guard lock(mutex_);
  next_budget_ = percent;
}

std::vector<Tier> CaptureThread::tiers() {
  const std::lock_guard lock(mutex_);
  return tiers_;
}

std::string CaptureThread::status_json() {
  const std::lock_guard lock(mutex_);
  return status_;
}

pid_t CaptureThread::id() const {
  id_.wait(0);
  return id_;
}

// Sleeps until the source has something, the time is over, or the end; false at the end.
bool CaptureThread::wait(int timeout_ms) {
  pollfd fds[2] = {{stop_fd_, POLLIN, 0}, {source_->wake_fd(), POLLIN, 0}};
  poll(fds, fds[1].fd >= 0 ? 2 : 1, timeout_ms);
  const std::lock_guard lock(mutex_);
  return !stopping_;
}

bool CaptureThread::deliver_batch(BatchBuilder& batch) {
  if (batch.empty()) return true;
  {
    std::unique_lock lock(mutex_);
    // At the end nobody waits: the last batches are few.
    room_.wait(lock, [this] { return underway_ < kMaxBatches || stopping_; });
    underway_++;
  }
  return deliver_(batch.seal());
}

void CaptureThread::run() {
  id_ = gettid();
  id_.notify_all();
  BatchBuilder batch;
  try {
    auto next_status = std::chrono::steady_clock::now();
    auto next_delivery = next_status;
    for (bool more = false;;) {
      const bool go_on = wait(more ? 0 : source_->wait_ms());
      {
        const std::lock_guard lock(mutex_);
        if (next_filter_) source_->set_filter(*std::exchange(next_filter_, std::nullopt));
        if (next_budget_) source_->set_budget(*std::exchange(next_budget_, std::nullopt));
        for (const TierChange& change : std::exchange(next_tiers_, {}))
          source_->set_tier(change.name, change.on, change.reason);
        tiers_ = source_->tiers();
      }
      more = source_->collect(batch);
      const auto now = std::chrono::steady_clock::now();
      if (more || now >= next_delivery || !go_on) {
        if (!batch.empty()) next_delivery = now + kDeliveryInterval;
        if (!deliver_batch(batch)) return;
      }
      if (now >= next_status || !go_on) {
        std::string status = source_->status_json();
        const std::lock_guard lock(mutex_);
        status_ = std::move(status);
        next_status = now + std::chrono::milliseconds(200);
      }
      if (!go_on) return;
    }
  } catch (const std::exception& error) {
    failed_(error.what());
  }
}

}  // namespace procflow

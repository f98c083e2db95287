// The thread that runs a source: collects, seals batches, hands them over. A receiver that falls behind is not fed
// more: the source is left alone then, and the kernel counts what its buffers cannot hold.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "source.h"

namespace procflow {

class CaptureThread {
 public:
  // Batches that may be on their way to the receiver at one time.
  static constexpr std::size_t kMaxBatches = 64;

  // `deliver` is called on the thread with each batch and takes it over; false ends the thread. `failed` is called
  // once, with the reason, when the thread ends by itself.
  CaptureThread(std::unique_ptr<Source> source, std::function<bool(Block)> deliver,
                std::function<void(const std::string&)> failed);
  // Stops the thread; what the source has at that moment is collected and delivered first.
  ~CaptureThread();
  CaptureThread(const CaptureThread&) = delete;
  CaptureThread& operator=(const CaptureThread&) = delete;

  // Ends the thread and the source; the last status stays.
  void stop();
  // The receiver is done with a batch.
  void received();
  void set_filter(const Filter& filter);
  void set_tier(const std::string& name, bool on, const std::string& reason);
  void set_budget(double percent);
  std::vector<Tier> tiers();
  std::string status_json();
  // The thread's id.
  pid_t id() const;

 private:
  void run();
  bool wait(int timeout_ms);
  bool deliver_batch(BatchBuilder& batch);

  std::unique_ptr<Source> source_;
  std::function<bool(Block)> deliver_;
  std::function<void(const std::string&)> failed_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t underway_ = 0;
  bool stopping_ = false;
  std::optional<Filter> next_filter_;
  struct TierChange {
    std::string name;
    bool on;
    std::string reason;
  };
  std::vector<TierChange> next_tiers_;
  std::optional<double> next_budget_;
  std::vector<Tier> tiers_;
  std::string status_ = "{}";
  int stop_fd_ = -1;
  std::atomic<pid_t> id_{0};  // 0 until it runs
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace procflow

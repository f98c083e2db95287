// The addon's JavaScript face; src/capture/addon.ts describes it. One capture at a time per environment is usual, but
// nothing here is shared between instances.
#include <napi.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "batch.h"
#include "capture_thread.h"
#include "datagram_sender.h"
#include "ebpf_source.h"
#include "obstacles.h"
#include "privileges.h"
#include "procfs_source.h"
#include "user_names.h"

namespace procflow {
namespace {

FilterLists filter_lists(const Napi::Object& object) {
  FilterLists lists;
  const auto each = [&object](const char* name, auto take) {
    const Napi::Array values = object.Get(name).As<Napi::Array>();
    for (std::uint32_t i = 0; i < values.Length(); i++) take(values.Get(i));
  };
  each("addresses", [&](const Napi::Value& value) {
    const Napi::Object prefix = value.As<Napi::Object>();
    const Napi::Uint8Array bytes = prefix.Get("bytes").As<Napi::Uint8Array>();
    FilterLists::Prefix entry;
    if (bytes.ElementLength() != entry.address.size()) throw Napi::TypeError::New(value.Env(), "a prefix has 16 bytes");
    std::copy(bytes.Data(), bytes.Data() + entry.address.size(), entry.address.begin());
    entry.bits = static_cast<std::uint8_t>(prefix.Get("bits").As<Napi::Number>().Uint32Value());
    lists.addresses.push_back(entry);
  });
  const auto number = [](const Napi::Value& value) { return value.As<Napi::Number>(); };
  each("ports", [&](const Napi::Value& v) { lists.ports.push_back(static_cast<std::uint16_t>(number(v).Uint32Value())); });
  each("protocols",
       [&](const Napi::Value& v) { lists.protocols.push_back(static_cast<std::uint16_t>(number(v).Uint32Value())); });
  each("cgroups", [&](const Napi::Value& v) { lists.cgroups.push_back(static_cast<std::uint64_t>(number(v).DoubleValue())); });
  each("uids", [&](const Napi::Value& v) { lists.uids.push_back(number(v).Uint32Value()); });
  each("processes", [&](const Napi::Value& v) { lists.processes.push_back(v.As<Napi::String>().Utf8Value()); });
  return lists;
}

Filter filter_from(const Napi::Object& object) {
  Filter filter;
  filter.keep = filter_lists(object.Get("keep").As<Napi::Object>());
  filter.drop = filter_lists(object.Get("drop").As<Napi::Object>());
  filter.loopback = object.Get("loopback").ToBoolean();
  filter.own_traffic = object.Get("ownTraffic").ToBoolean();
  const Napi::Array ports = object.Get("ownPorts").As<Napi::Array>();
  for (std::uint32_t i = 0; i < ports.Length(); i++)
    filter.own_ports.push_back(static_cast<std::uint16_t>(ports.Get(i).As<Napi::Number>().Uint32Value()));
  return filter;
}

PacketOptions packet_options(const Napi::Object& object) {
  PacketOptions options;
  options.enabled = object.Get("enabled").ToBoolean();
  options.first_packets = static_cast<std::uint8_t>(object.Get("firstPackets").As<Napi::Number>().Uint32Value());
  options.bytes_per_packet = static_cast<std::uint16_t>(object.Get("bytesPerPacket").As<Napi::Number>().Uint32Value());
  const auto each = [&object](const char* name, auto take) {
    const Napi::Array values = object.Get(name).As<Napi::Array>();
    for (std::uint32_t i = 0; i < values.Length(); i++) take(values.Get(i).As<Napi::Number>());
  };
  each("ports", [&](const Napi::Number& v) { options.ports.push_back(static_cast<std::uint16_t>(v.Uint32Value())); });
  each("cgroups", [&](const Napi::Number& v) { options.cgroups.push_back(static_cast<std::uint64_t>(v.DoubleValue())); });
  each("uids", [&](const Napi::Number& v) { options.uids.push_back(v.Uint32Value()); });
  return options;
}

SourceOptions options_from(const Napi::Object& object) {
  SourceOptions options;
  options.poll_interval_ms = object.Get("pollIntervalMs").As<Napi::Number>().Uint32Value();
  options.ring_buffer_bytes = object.Get("ringBufferBytes").As<Napi::Number>().Uint32Value();
  options.max_sockets = object.Get("maxSockets").As<Napi::Number>().Uint32Value();
  options.sample_interval_ms = object.Get("sampleIntervalMs").As<Napi::Number>().Uint32Value();
  options.messages = object.Get("messages").ToBoolean();
  options.resources = object.Get("resources").ToBoolean();
  options.peak_memory = object.Get("peakMemory").ToBoolean();
  options.delay_accounting = object.Get("delayAccounting").ToBoolean();
  options.packets = packet_options(object.Get("packets").As<Napi::Object>());
  options.budget_percent = object.Get("budgetPercent").As<Napi::Number>().DoubleValue();
  options.cgroup_root = object.Get("cgroupRoot").As<Napi::String>().Utf8Value();
  options.filter = filter_from(object.Get("filter").As<Napi::Object>());
  return options;
}

// What travels to JavaScript: a batch, the reason why the thread ended by itself, or that nothing follows any more.
struct Delivery {
  enum class Kind { kBatch, kFailure, kEnd } kind = Kind::kBatch;
  Block block;
  std::string failure;
};

class Capture : public Napi::ObjectWrap<Capture> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Capture",
                       {InstanceMethod<&Capture::stop>("stop"), InstanceMethod<&Capture::status>("status"),
                        InstanceMethod<&Capture::set_filter>("setFilter"), InstanceMethod<&Capture::tiers>("tiers"),
                        InstanceMethod<&Capture::thread>("thread"), InstanceMethod<&Capture::set_tier>("setTier"),
                        InstanceMethod<&Capture::set_budget>("setBudget")});
  }

  // new Capture('ebpf' | 'procfs', options, (batch: ArrayBuffer) => void, (reason: string) => void)
  explicit Capture(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Capture>(info) {
    const Napi::Env env = info.Env();
    const std::string kind = info[0].As<Napi::String>().Utf8Value();
    const SourceOptions options = options_from(info[1].As<Napi::Object>());
    on_batch_ = Napi::Persistent(info[2].As<Napi::Function>());
    on_failure_ = Napi::Persistent(info[3].As<Napi::Function>());
    std::unique_ptr<Source> source;
    try {
      if (kind == "ebpf") {
        source = std::make_unique<EbpfSource>(options);
      } else {
        source = std::make_unique<ProcfsSource>(options);
      }
    } catch (const std::exception& error) {
      throw Napi::Error::New(env, error.what());
    }
    function_ = Function::New(env, "procflow capture", 0, 1, this);
    thread_ = std::make_unique<CaptureThread>(
        std::move(source),
        [this](Block block) { return send(new Delivery{Delivery::Kind::kBatch, block, ""}); },
        [this](const std::string& reason) { send(new Delivery{Delivery::Kind::kFailure, {}, reason}); });
  }

  // The environment ends without a stop.
  void Finalize(Napi::Env) override { close(); }

 private:
  static void on_delivery(Napi::Env env, Napi::Function, Capture* self, Delivery* raw) {
    const std::unique_ptr<Delivery> delivery(raw);
    if (static_cast<napi_env>(env) == nullptr) {
      std::free(delivery->block.data);
      return;
    }
    switch (delivery->kind) {
      case Delivery::Kind::kFailure:
        self->on_failure_.Call({Napi::String::New(env, delivery->failure)});
        return;
      case Delivery::Kind::kEnd:
        if (!self->on_end_.IsEmpty()) self->on_end_.Call(std::initializer_list<napi_value>{});
        return;
      case Delivery::Kind::kBatch:
        break;
    }
    if (self->thread_) self->thread_->received();
    const Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, delivery->block.data, delivery->block.size,
                                                            [](Napi::Env, void* data) { std::free(data); });
    self->on_batch_.Call({buffer});
  }
  using Function = Napi::TypedThreadSafeFunction<Capture, Delivery, on_delivery>;

  bool send(Delivery* delivery) {
    if (function_.NonBlockingCall(delivery) == napi_ok) return true;
    std::free(delivery->block.data);
    delete delivery;
    return false;
  }

  void close() {
    if (!thread_) return;
    thread_->stop();
    closed_ = std::move(thread_);
    send(new Delivery{Delivery::Kind::kEnd, {}, ""});
    function_.Release();
  }

  // Stops the thread. Its last batches are delivered after this returns; the function given is called after them.
  void stop(const Napi::CallbackInfo& info) {
    on_end_ = Napi::Persistent(info[0].As<Napi::Function>());
    close();
  }

  Napi::Value status(const Napi::CallbackInfo& info) {
    CaptureThread* thread = thread_ ? thread_.get() : closed_.get();
    return Napi::String::New(info.Env(), thread->status_json());
  }

  void set_filter(const Napi::CallbackInfo& info) {
    if (thread_) thread_->set_filter(filter_from(info[0].As<Napi::Object>()));
  }

  Napi::Value thread(const Napi::CallbackInfo& info) {
    return thread_ ? Napi::Value(Napi::Number::New(info.Env(), thread_->id())) : Napi::Value(info.Env().Null());
  }

  void set_tier(const Napi::CallbackInfo& info) {
    if (!thread_) return;
    thread_->set_tier(info[0].As<Napi::String>().Utf8Value(), info[1].ToBoolean(),
                      info[2].As<Napi::String>().Utf8Value());
  }

  void set_budget(const Napi::CallbackInfo& info) {
    if (thread_) thread_->set_budget(info[0].As<Napi::Number>().DoubleValue());
  }

  Napi::Value tiers(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    CaptureThread* thread = thread_ ? thread_.get() : closed_.get();
    const std::vector<Tier> tiers = thread->tiers();
    const Napi::Array result = Napi::Array::New(env, tiers.size());
    for (std::uint32_t i = 0; i < tiers.size(); i++) {
      const Napi::Object tier = Napi::Object::New(env);
      tier.Set("name", tiers[i].name);
      tier.Set("on", tiers[i].on);
      tier.Set("available", tiers[i].available);
      tier.Set("reason", tiers[i].reason);
      result.Set(i, tier);
    }
    return result;
  }

  Napi::FunctionReference on_batch_;
  Napi::FunctionReference on_failure_;
  Napi::FunctionReference on_end_;
  Function function_;
  std::unique_ptr<CaptureThread> thread_;
  std::unique_ptr<CaptureThread> closed_;
};

// Resolves user names on libuv's pool: a name service may take its time.
class NameWorker : public Napi::AsyncWorker {
 public:
  NameWorker(Napi::Env env, std::vector<uid_t> uids)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), uids_(std::move(uids)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { names_ = resolve(uids_); }
  void OnOK() override {
    const Napi::Array result = Napi::Array::New(Env(), names_.size());
    for (std::uint32_t i = 0; i < names_.size(); i++)
      result.Set(i, names_[i] ? Napi::Value(Napi::String::New(Env(), *names_[i])) : Napi::Value(Env().Null()));
    deferred_.Resolve(result);
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<uid_t> uids_;
  std::vector<std::optional<std::string>> names_;
};

Napi::Value resolve_users(const Napi::CallbackInfo& info) {
  const Napi::Array input = info[0].As<Napi::Array>();
  std::vector<uid_t> uids;
  for (std::uint32_t i = 0; i < input.Length(); i++) uids.push_back(input.Get(i).As<Napi::Number>().Uint32Value());
  auto* worker = new NameWorker(info.Env(), std::move(uids));  // deletes itself
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

void drop(const Napi::CallbackInfo& info) {
  try {
    drop_privileges(info[0].As<Napi::Number>().Int32Value());
  } catch (const std::exception& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

class Sender : public Napi::ObjectWrap<Sender> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DatagramSender",
                       {InstanceMethod<&Sender::send>("send"), InstanceMethod<&Sender::path_mtu>("pathMtu"),
                        InstanceMethod<&Sender::close>("close")});
  }

  // new DatagramSender(address: string, port: number)
  explicit Sender(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Sender>(info) {
    try {
      sender_ = std::make_unique<DatagramSender>(info[0].As<Napi::String>().Utf8Value(),
                                                 static_cast<std::uint16_t>(info[1].As<Napi::Number>().Uint32Value()));
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

 private:
  // send(slots: Uint8Array, slotBytes: number, lengths: Uint32Array, first: number, count: number): number
  Napi::Value send(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto slots = info[0].As<Napi::Uint8Array>();
    const std::size_t slot_size = info[1].As<Napi::Number>().Uint32Value();
    const auto lengths = info[2].As<Napi::Uint32Array>();
    const std::size_t first = info[3].As<Napi::Number>().Uint32Value();
    const std::size_t count = info[4].As<Napi::Number>().Uint32Value();
    if (!sender_) throw Napi::Error::New(env, "the sender is closed");
    if (first + count > lengths.ElementLength() || (first + count) * slot_size > slots.ElementLength())
      throw Napi::RangeError::New(env, "there are not so many slots");
    for (std::size_t i = first; i < first + count; i++)
      if (lengths[i] > slot_size) throw Napi::RangeError::New(env, "a datagram is longer than its slot");
    return Napi::Number::New(
        env, sender_->send(slots.Data() + first * slot_size, slot_size, lengths.Data() + first, count));
  }

  // pathMtu(): number
  Napi::Value path_mtu(const Napi::CallbackInfo& info) {
    if (!sender_) throw Napi::Error::New(info.Env(), "the sender is closed");
    return Napi::Number::New(info.Env(), sender_->path_mtu());
  }

  void close(const Napi::CallbackInfo&) { sender_.reset(); }

  std::unique_ptr<DatagramSender> sender_;
};

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Capture", Capture::define(env));
  exports.Set("DatagramSender", Sender::define(env));
  exports.Set("layout", Napi::String::New(env, layout_text()));
  exports.Set("layoutVersion", Napi::Number::New(env, PF_LAYOUT_VERSION));
  exports.Set("bpfObstacle", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return Napi::String::New(info.Env(), bpf_obstacle());
              }));
  exports.Set("dropPrivileges", Napi::Function::New(env, drop));
  exports.Set("resolveUsers", Napi::Function::New(env, resolve_users));
  return exports;
}

}  // namespace
}  // namespace procflow

static Napi::Object init(Napi::Env env, Napi::Object exports) { return procflow::initialize(env, exports); }
NODE_API_MODULE(procflow, init)

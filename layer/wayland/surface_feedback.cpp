// SPDX-License-Identifier: MIT
#include "wayland/surface_feedback.hpp"

#include <cstring>
#include <new>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/fd.hpp"
#include "util/log.hpp"

namespace fencebridge::wayland {

class SurfaceFeedback::Table {
public:
    Table(const Fd& fd, uint32_t size) : size_(size) {
        // Reading beyond the end of a file that is shorter than `size` would raise SIGBUS.
        struct stat status;
        if (::fstat(fd.get(), &status) == 0 && status.st_size >= off_t{size})
            data_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    }
    ~Table() {
        if (data_ != MAP_FAILED)
            ::munmap(data_, size_);
    }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    /// An entry of zwp_linux_dmabuf_feedback_v1.format_table has 32 bits of format, 32 bits of
    /// padding and 64 bits of modifier, in the machine's byte order.
    [[nodiscard]] bool get(size_t index, FormatModifier& entry) const {
        constexpr size_t entry_size = 16;
        if (data_ == MAP_FAILED || index >= size_ / entry_size)
            return false;
        const auto* at = static_cast<const char*>(data_) + index * entry_size;
        std::memcpy(&entry.fourcc, at, sizeof entry.fourcc);
        std::memcpy(&entry.modifier, at + 8, sizeof entry.modifier);
        return true;
    }

private:
    size_t size_;
    void* data_ = MAP_FAILED;
};

namespace {

/// The dev_t in an array argument; nothing if the array has another size.
std::optional<dev_t> device_of(const wl_array* array) {
    dev_t device = 0;
    if (array->size != sizeof device)
        return std::nullopt;
    std::memcpy(&device, array->data, sizeof device);
    return device;
}

} // namespace

struct SurfaceFeedback::Handlers {
    static SurfaceFeedback& self(void* data) { return *static_cast<SurfaceFeedback*>(data); }

    /// Runs a handler's body. An exception must not pass through libwayland, which is C.
    template <class Handle>
    static void without_exceptions(void* data, Handle&& handle) {
        try {
            handle();
        } catch (const std::bad_alloc&) {
            self(data).lost_ = true;
        }
    }

    /// The end of an update. An update that is not complete, because memory could not be allocated,
    /// is dropped: the one before it stays.
    static void done(void* data, zwp_linux_dmabuf_feedback_v1*) {
        SurfaceFeedback& feedback = self(data);
        if (!feedback.lost_)
            without_exceptions(data, [&] { feedback.publish(); });
        if (feedback.lost_)
            log::error("out of memory in zwp_linux_dmabuf_feedback_v1: an update of the "
                       "compositor's formats is ignored");
        feedback.pending_ = {};
        feedback.tranche_ = {};
        feedback.out_of_memory_ = std::exchange(feedback.lost_, false);
    }

    static void format_table(void* data, zwp_linux_dmabuf_feedback_v1*, int32_t fd, uint32_t size) {
        const Fd owned(fd);
        self(data).table_.reset();
        without_exceptions(data, [&] { self(data).table_ = std::make_unique<Table>(owned, size); });
        self(data).table_lost_ = self(data).table_ == nullptr;
    }

    static void main_device(void* data, zwp_linux_dmabuf_feedback_v1*, wl_array* device) {
        self(data).pending_.main_device = device_of(device);
    }

    static void tranche_done(void* data, zwp_linux_dmabuf_feedback_v1*) {
        without_exceptions(data, [&] {
            self(data).pending_.tranches.push_back(std::exchange(self(data).tranche_, {}));
        });
    }

    static void tranche_target_device(void* data, zwp_linux_dmabuf_feedback_v1*, wl_array* device) {
        self(data).tranche_.target_device = device_of(device);
    }

    static void tranche_formats(void* data, zwp_linux_dmabuf_feedback_v1*, wl_array* indices) {
        SurfaceFeedback& feedback = self(data);
        if (!feedback.table_) {
            feedback.lost_ = feedback.lost_ || feedback.table_lost_;
            return;
        }
        const std::span<const uint16_t> all(static_cast<const uint16_t*>(indices->data),
                                            indices->size / sizeof(uint16_t));
        without_exceptions(data, [&] {
            for (const uint16_t index : all) {
                FormatModifier entry;
                if (feedback.table_->get(index, entry))
                    feedback.tranche_.formats.push_back(entry);
            }
        });
    }

    static void tranche_flags(void*, zwp_linux_dmabuf_feedback_v1*, uint32_t) {}
};

SurfaceFeedback::SurfaceFeedback(zwp_linux_dmabuf_v1* dmabuf, wl_surface* surface) {
    static constexpr zwp_linux_dmabuf_feedback_v1_listener listener = {
        .done = &Handlers::done,
        .format_table = &Handlers::format_table,
        .main_device = &Handlers::main_device,
        .tranche_done = &Handlers::tranche_done,
        .tranche_target_device = &Handlers::tranche_target_device,
        .tranche_formats = &Handlers::tranche_formats,
        .tranche_flags = &Handlers::tranche_flags,
    };
    feedback_.reset(zwp_linux_dmabuf_v1_get_surface_feedback(dmabuf, surface));
    if (feedback_)
        zwp_linux_dmabuf_feedback_v1_add_listener(feedback_.get(), &listener, this);
}

SurfaceFeedback::~SurfaceFeedback() = default;

std::shared_ptr<const DmabufFormats> SurfaceFeedback::current() const {
    return current_.with([](const auto& feedback) { return feedback; });
}

void SurfaceFeedback::publish() {
    auto complete = std::make_shared<const DmabufFormats>(std::exchange(pending_, {}));
    current_.with([&](auto& current) { current.swap(complete); });
    ++count_;
}

} // namespace fencebridge::wayland

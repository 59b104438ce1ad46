// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <vulkan/vulkan.h>

#include "util/locked.hpp"
#include "util/log.hpp"

namespace fencebridge::entry {

/// The messengers of VK_EXT_debug_utils of one instance, which also receive the layer's messages.
///
/// The layer calls their callbacks itself. vkSubmitDebugUtilsMessageEXT of the next layer would do
/// so as well, but the loader's takes a lock there that it already holds in vkCreateDevice and
/// other commands.
class Messengers {
public:
    Messengers() = default;
    /// Those in the chain of a VkInstanceCreateInfo.
    explicit Messengers(const VkInstanceCreateInfo& info);

    /// @param handle  the next layer's
    void add(VkDebugUtilsMessengerEXT handle, const VkDebugUtilsMessengerCreateInfoEXT& info);
    void remove(VkDebugUtilsMessengerEXT handle);

    [[nodiscard]] bool want(log::Level level) const noexcept;
    [[nodiscard]] bool want_anything() const noexcept {
        return severities_.load(std::memory_order_relaxed) != 0;
    }

    struct Message {
        log::Level level;
        log::Topic topic;
        std::string text;
    };
    /// Calls the messengers that want the message. No lock is held during the calls. A callback's
    /// result, which is for the development of layers, is ignored.
    /// @param object  what the application's call was made on
    void send(const Message& message, const VkDebugUtilsObjectNameInfoEXT* object) const;

private:
    struct Messenger {
        VkDebugUtilsMessengerEXT handle;
        VkDebugUtilsMessageSeverityFlagsEXT severities;
        VkDebugUtilsMessageTypeFlagsEXT types;
        PFN_vkDebugUtilsMessengerCallbackEXT callback;
        void* user_data;
    };
    Locked<std::vector<Messenger>> all_;
    /// The severities that any messenger wants. Written with the lock of all_ held.
    std::atomic<VkDebugUtilsMessageSeverityFlagsEXT> severities_ = 0;
};

/// A call of the application's. The destructor sends the messages of the thread in that call to the
/// messengers: at the end of the call no lock of the layer's is held, so a callback may call the
/// layer. And no messenger is destroyed meanwhile, since vkDestroyDebugUtilsMessengerEXT must not
/// run in parallel with a call on the same instance or its children. That is why a message is sent
/// to the messengers of no other instance, and why the messages of a thread of the layer's are sent
/// to none.
class MessageScope final : public log::Receiver {
public:
    MessageScope(const Messengers& messengers, VkObjectType type, const void* object);
    ~MessageScope() override;
    MessageScope(const MessageScope&) = delete;
    MessageScope& operator=(const MessageScope&) = delete;

    [[nodiscard]] bool wants(log::Level level) const noexcept override;
    void receive(log::Level level, log::Topic topic, std::string_view text) noexcept override;

private:
    const Messengers& messengers_;
    const VkDebugUtilsObjectNameInfoEXT object_;
    std::vector<Messengers::Message> messages_;
    Receiver* const before_;
};

} // namespace fencebridge::entry

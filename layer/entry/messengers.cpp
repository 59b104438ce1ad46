// SPDX-License-Identifier: MIT
#include "entry/messengers.hpp"

#include <algorithm>
#include <new>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "vk/chain.hpp"

namespace fencebridge::entry {

namespace {

VkDebugUtilsMessageSeverityFlagBitsEXT severity(log::Level level) {
    switch (level) {
    case log::Level::error:
        return VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    case log::Level::warning:
        return VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
    case log::Level::info:
        return VK_DEBUG_UTILS_MESSAGE_SEVERITY_INFO_BIT_EXT;
    case log::Level::debug:
        break;
    }
    return VK_DEBUG_UTILS_MESSAGE_SEVERITY_VERBOSE_BIT_EXT;
}

VkDebugUtilsMessageTypeFlagsEXT type(log::Topic topic) {
    return topic == log::Topic::performance ? VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT
                                            : VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT;
}

} // namespace

Messengers::Messengers(const VkInstanceCreateInfo& info) {
    const auto* found = vk::find<VkDebugUtilsMessengerCreateInfoEXT>(info.pNext);
    for (; found != nullptr; found = vk::find<VkDebugUtilsMessengerCreateInfoEXT>(found->pNext))
        add(VK_NULL_HANDLE, *found);
}

void Messengers::add(VkDebugUtilsMessengerEXT handle,
                     const VkDebugUtilsMessengerCreateInfoEXT& info) {
    all_.with([&](auto& all) {
        all.push_back(
            {handle, info.messageSeverity, info.messageType, info.pfnUserCallback, info.pUserData});
        severities_.fetch_or(info.messageSeverity, std::memory_order_relaxed);
    });
}

void Messengers::remove(VkDebugUtilsMessengerEXT handle) {
    all_.with([&](auto& all) {
        std::erase_if(all, [&](const Messenger& each) { return each.handle == handle; });
        VkDebugUtilsMessageSeverityFlagsEXT left = 0;
        for (const Messenger& each : all)
            left |= each.severities;
        severities_.store(left, std::memory_order_relaxed);
    });
}

bool Messengers::want(log::Level level) const noexcept {
    return (severities_.load(std::memory_order_relaxed) & severity(level)) != 0;
}

void Messengers::send(const Message& message, const VkDebugUtilsObjectNameInfoEXT* object) const {
    const VkDebugUtilsMessengerCallbackDataEXT data = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CALLBACK_DATA_EXT,
        .pMessageIdName = "fencebridge",
        .pMessage = message.text.c_str(),
        .objectCount = object == nullptr ? 0U : 1U,
        .pObjects = object};
    for (const Messenger& each : all_.with([](const auto& all) { return all; })) {
        if ((each.severities & severity(message.level)) != 0 &&
            (each.types & type(message.topic)) != 0)
            each.callback(severity(message.level), type(message.topic), &data, each.user_data);
    }
}

MessageScope::MessageScope(const Messengers& messengers, VkObjectType type, const void* object) :
    messengers_(messengers), object_{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
                                     .objectType = type,
                                     .objectHandle = reinterpret_cast<uintptr_t>(object)},
    before_(log::exchange_receiver(this)) {}

MessageScope::~MessageScope() {
    log::exchange_receiver(before_);
    static_cast<void>(guarded([&] {
        for (const Messengers::Message& message : messages_)
            messengers_.send(message, object_.objectHandle == 0 ? nullptr : &object_);
        return VK_SUCCESS;
    }));
}

bool MessageScope::wants(log::Level level) const noexcept { return messengers_.want(level); }

void MessageScope::receive(log::Level level, log::Topic topic, std::string_view text) noexcept {
    try {
        messages_.push_back({level, topic, std::string(text)});
    } catch (const std::bad_alloc&) { // the log has the message
    }
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDebugUtilsMessengerEXT(
    VkInstance handle, const VkDebugUtilsMessengerCreateInfoEXT* create_info,
    const VkAllocationCallbacks* allocator, VkDebugUtilsMessengerEXT* messenger) {
    return guarded([&] {
        const auto instance = find_instance(handle);
        const VkResult result =
            instance->next.CreateDebugUtilsMessengerEXT(handle, create_info, allocator, messenger);
        if (result != VK_SUCCESS)
            return result;
        Rollback created(
            [&] { instance->next.DestroyDebugUtilsMessengerEXT(handle, *messenger, allocator); });
        instance->messengers.add(*messenger, *create_info);
        created.commit();
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyDebugUtilsMessengerEXT(VkInstance handle,
                                                         VkDebugUtilsMessengerEXT messenger,
                                                         const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto instance = find_instance(handle);
        // Before the next layer may give its handle to another messenger.
        instance->messengers.remove(messenger);
        instance->next.DestroyDebugUtilsMessengerEXT(handle, messenger, allocator);
    });
}

} // namespace fencebridge::entry

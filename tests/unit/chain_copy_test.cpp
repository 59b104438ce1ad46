// SPDX-License-Identifier: MIT
#include "vk/chain_copy.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>

namespace fencebridge::vk {
namespace {

constexpr auto present_id = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR;
constexpr auto of_1_2 = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
constexpr auto of_1_3 = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
constexpr auto group = VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO;
constexpr auto of_a_future_version = static_cast<VkStructureType>(1999999000);

/// A chain of structures, each filled with bytes of its own.
class Chain {
public:
    explicit Chain(const std::vector<VkStructureType>& types) : nodes_(types.size()) {
        for (size_t i = 0; i < types.size(); ++i) {
            std::memset(&nodes_[i], int(i + 1), sizeof nodes_[i]);
            nodes_[i].head.sType = types[i];
            nodes_[i].head.pNext = i + 1 < types.size() ? &nodes_[i + 1].head : nullptr;
        }
        before_ = nodes_;
    }
    [[nodiscard]] const VkBaseInStructure* node(size_t i) const { return &nodes_[i].head; }
    [[nodiscard]] ReducedChain without(const std::vector<size_t>& indices) const {
        std::vector<ReducedFeatures> left_out;
        for (const size_t i : indices)
            left_out.push_back({node(i), {}});
        return {nodes_.empty() ? nullptr : node(0), left_out};
    }
    [[nodiscard]] bool is_unchanged() const {
        return std::memcmp(nodes_.data(), before_.data(), nodes_.size() * sizeof(Node)) == 0;
    }

private:
    struct Node {
        VkBaseInStructure head;
        std::array<uint32_t, 64> words;
    };
    std::vector<Node> nodes_;
    std::vector<Node> before_;
};

std::vector<VkStructureType> types_of(const ReducedChain& chain) {
    std::vector<VkStructureType> types;
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain.first()); node != nullptr;
         node = node->pNext)
        types.push_back(node->sType);
    return types;
}

using Types = std::vector<VkStructureType>;

TEST(ReducedChain, NothingIsCopiedIfNothingIsLeftOut) {
    const Chain chain({of_1_2, of_a_future_version});
    EXPECT_EQ(chain.without({}).first(), chain.node(0));
    EXPECT_EQ(Chain({}).without({}).first(), nullptr);
}

TEST(ReducedChain, TheStructuresAfterTheLastOneLeftOutAreTheApplications) {
    const Chain chain({present_id, of_a_future_version});
    EXPECT_EQ(chain.without({0}).first(), chain.node(1));
}

TEST(ReducedChain, SeveralAreLeftOutAndTheApplicationsChainIsUnchanged) {
    const Chain chain({present_id, of_1_2, present_id, present_id, group, of_1_3, present_id});
    const ReducedChain copy = chain.without({0, 2, 3, 6});
    EXPECT_EQ(types_of(copy), (Types{of_1_2, group, of_1_3}));
    EXPECT_EQ(copy.obstacle(), VK_STRUCTURE_TYPE_MAX_ENUM);
    EXPECT_TRUE(chain.is_unchanged());
}

TEST(ReducedChain, ACopyHasAllOfItsStructure) {
    const Chain chain({of_1_2, present_id});
    const ReducedChain copy = chain.without({1});
    ASSERT_NE(copy.first(), chain.node(0));
    constexpr size_t head = sizeof(VkBaseInStructure);
    EXPECT_EQ(std::memcmp(static_cast<const std::byte*>(copy.first()) + head,
                          reinterpret_cast<const std::byte*>(chain.node(0)) + head,
                          sizeof(VkPhysicalDeviceVulkan12Features) - head),
              0);
}

// It cannot be copied, so that what follows it stays.
TEST(ReducedChain, SomeFeaturesOfAStructureAreKept) {
    constexpr auto present_timing = static_cast<VkStructureType>(1000208000);
    const Chain chain({of_1_2, present_timing, of_a_future_version});
    const std::array reduced{ReducedFeatures{chain.node(1), {VK_TRUE, VK_FALSE, VK_TRUE}}};
    const ReducedChain copy(chain.node(0), reduced);
    EXPECT_EQ(types_of(copy), (Types{of_1_2, present_timing, of_a_future_version}));
    const auto* const features = static_cast<const VkBaseInStructure*>(copy.first())->pNext;
    const auto* const words = reinterpret_cast<const VkBool32*>(features + 1);
    EXPECT_EQ(std::vector(words, words + 3), (std::vector{VK_TRUE, VK_FALSE, VK_TRUE}));
    EXPECT_EQ(features->pNext, chain.node(2));
    EXPECT_TRUE(chain.is_unchanged());
}

TEST(ReducedChain, AnUnknownStructureKeepsTheRestOfTheChain) {
    const Chain chain({present_id, of_1_2, of_a_future_version, present_id});
    const ReducedChain copy = chain.without({0, 3});
    EXPECT_EQ(types_of(copy), (Types{of_1_2, of_a_future_version, present_id}));
    EXPECT_EQ(copy.obstacle(), of_a_future_version);
}

} // namespace
} // namespace fencebridge::vk

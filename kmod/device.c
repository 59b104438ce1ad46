// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device /dev/fencebridge, which exports the fences of a dma-buf as a sync_file and imports the
 * fences of a sync_file into a dma-buf, on kernels without ioctls for that.
 *
 * kernel-uapi/fencebridge.h describes the ioctls of the device.
 *
 * Every object that outlives an ioctl is of a type of the core kernel: dma_fence_array, sync_file.
 * None has operations or callbacks in this module. So the module can be unloaded while fences that
 * it exported or imported are pending.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "fencebridge.h"

#include "compat.h"
#include "fences.h"
#include "resv.h"

static bool fbr_valid_flags(u32 flags)
{
	return flags && !(flags & ~FENCEBRIDGE_RW);
}

static long fbr_query(void __user *user)
{
	struct fencebridge_query query;

	if (copy_from_user(&query, user, sizeof(query)))
		return -EFAULT;
	if (query.flags || memchr_inv(query.reserved, 0, sizeof(query.reserved)))
		return -EINVAL;
	query.version = FENCEBRIDGE_VERSION;
	query.features = FENCEBRIDGE_FEATURE_EXPORT | FENCEBRIDGE_FEATURE_IMPORT |
			 FENCEBRIDGE_FEATURE_NONE_IF_IDLE | fbr_resv_features();
	query.max_fences = FBR_MAX_FENCES;
	return copy_to_user(user, &query, sizeof(query)) ? -EFAULT : 0;
}

/* Returns a reference to a fence, NULL if no fence is pending, or an ERR_PTR(). */
static struct dma_fence *fbr_snapshot(int dma_buf_fd, bool write)
{
	struct dma_buf *dma_buf;
	struct dma_fence *fence;
	int ret;

	dma_buf = dma_buf_get(dma_buf_fd);
	if (IS_ERR(dma_buf))
		return ERR_CAST(dma_buf);
	ret = fbr_resv_snapshot(dma_buf->resv, write, &fence);
	dma_buf_put(dma_buf);
	return ret ? ERR_PTR(ret) : fence;
}

/*
 * Installs an fd for a new sync_file of @fence and copies @arg, with the fd, to userspace.
 * Consumes the caller's reference to @fence, also on failure.
 */
static long fbr_install_sync_file(struct fencebridge_export __user *user,
				  struct fencebridge_export *arg, struct dma_fence *fence)
{
	struct sync_file *sync_file;
	int fd, ret;

	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_sync_file;
	}
	arg->sync_file_fd = fd;
	/* fd_install() comes last: a later failure could not take the fd back from userspace. */
	if (copy_to_user(user, arg, sizeof(*arg))) {
		ret = -EFAULT;
		goto err_fd;
	}
	fd_install(fd, sync_file->file);
	return 0;

err_fd:
	put_unused_fd(fd);
err_sync_file:
	fput(sync_file->file);
	return ret;
}

static long fbr_export(void __user *user)
{
	struct fencebridge_export arg;
	struct dma_fence *fence;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!fbr_valid_flags(arg.flags & ~FENCEBRIDGE_NONE_IF_IDLE) || arg.reserved)
		return -EINVAL;
	fence = fbr_snapshot(arg.dma_buf_fd, arg.flags & FENCEBRIDGE_WRITE);
	if (IS_ERR(fence))
		return PTR_ERR(fence);
	if (!fence && (arg.flags & FENCEBRIDGE_NONE_IF_IDLE)) {
		arg.sync_file_fd = -1;
		return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
	}
	return fbr_install_sync_file(user, &arg, fence ?: dma_fence_get_stub());
}

static long fbr_import(void __user *user)
{
	struct fencebridge_import arg;
	struct fbr_fences fences = {};
	struct dma_buf *dma_buf;
	struct dma_fence *fence;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!fbr_valid_flags(arg.flags) || arg.reserved)
		return -EINVAL;
	dma_buf = dma_buf_get(arg.dma_buf_fd);
	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);
	fence = sync_file_get_fence(arg.sync_file_fd);
	if (!fence) {
		ret = -EINVAL;
		goto out;
	}
	ret = fbr_fences_add(&fences, fence);
	dma_fence_put(fence);
	if (!ret)
		ret = fbr_resv_attach(dma_buf->resv, &fences, arg.flags & FENCEBRIDGE_WRITE);
	fbr_fences_put(&fences);
out:
	dma_buf_put(dma_buf);
	return ret;
}

static long fbr_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (request) {
	case FENCEBRIDGE_IOCTL_QUERY:
		return fbr_query(user);
	case FENCEBRIDGE_IOCTL_EXPORT:
		return fbr_export(user);
	case FENCEBRIDGE_IOCTL_IMPORT:
		return fbr_import(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations fbr_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = fbr_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* devtmpfs creates the file with this mode. 70-fencebridge.rules then extends the access. */
static struct miscdevice fbr_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fencebridge",
	.fops = &fbr_fops,
	.mode = 0600,
};

module_misc_device(fbr_device);

FBR_IMPORT_DMA_BUF_SYMBOLS;
MODULE_DESCRIPTION("Export and import of dma-buf fences as sync_files");
MODULE_AUTHOR("The fencebridge developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");

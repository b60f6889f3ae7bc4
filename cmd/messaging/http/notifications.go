package http

import (
	"github.com/valyala/fasthttp"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
)

func (r *request) listNotifications() error {
	page, offset, err := r.page()
	if err != nil {
		return err
	}
	list, more, err := r.server.Store.Notifications(r.ctx, r.user.ID, pageSize, offset)
	if err != nil {
		return err
	}
	unread, err := r.server.Store.UnreadNotifications(r.ctx, r.user.ID)
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.Notifications{
		Notifications: api.NewNotifications(list), Page: page, HasMore: more && page < maxPage, UnreadCount: unread,
	})
}

func (r *request) readNotification() error {
	n, err := r.server.Store.ReadNotification(r.ctx, r.user.ID, r.args["id"], r.now)
	if err != nil {
		return err
	}
	unread, err := r.server.Store.UnreadNotifications(r.ctx, r.user.ID)
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.NotificationRead{Notification: api.NewNotification(n), UnreadCount: unread})
}

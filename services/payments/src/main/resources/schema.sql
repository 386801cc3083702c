-- The payments of late; number gives their order, so that the oldest can be deleted.
create table payments (
    number bigint generated always as identity primary key,
    id varchar(36) not null unique,
    order_id varchar(36) not null unique,
    amount_cents bigint not null
);

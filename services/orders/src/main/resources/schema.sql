-- The orders of late; number gives their order, so that the oldest can be deleted.
create table orders (
    number bigint generated always as identity primary key,
    id varchar(36) not null unique,
    sku varchar(40) not null,
    quantity int not null,
    amount_cents bigint not null,
    payment varchar(36) not null
);

"""简体中文: the words of `text_en_office`."""

from __future__ import annotations

OFFICE = {
    "nav.models": "模型",
    "nav.review": "回顾",
    "nav.audit": "记录",
    "moment": "{day} {time} UTC",
    # Who did what
    "audit.title": "操作记录",
    "audit.lead": "每次登录、每次查看客户、每个步骤和每项改动都在这里，最新的在最前。记录无法更改。",
    "audit.when": "时间",
    "audit.who": "人员或密钥",
    "audit.what": "操作",
    "audit.customer": "客户",
    "audit.detail": "详情",
    "audit.all": "全部",
    "audit.none": "这里没有记录。",
    "audit.newest": "最新",
    "audit.older": "更早",
    "deed.recorded": "登记：{step}",
    "deed.customer seen": "查看客户",
    "deed.customer taken": "接手客户",
    "deed.customer given back": "交还客户",
    "deed.signed in": "登录",
    "deed.signed out": "退出",
    "deed.sign-in refused": "登录被拒",
    "deed.user added": "添加人员",
    "deed.user changed": "更改人员",
    "deed.key created": "创建密钥",
    "deed.key revoked": "吊销密钥",
    "deed.plan made": "请求计划",
    "deed.outcomes recorded": "登记结果",
    "deed.job asked for": "请求任务",
    "deed.job cancelled": "取消任务",
    "deed.model rolled back": "退回上一个模型",
}
